"""What Alembic does with a service's revisions, on a connection or as SQL."""

import io
import logging
import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared.migrations.limits import LIMITS

logger = logging.getLogger("gerai.migrations")

# Default privileges give the application role all four rights on this table as on every other. Whoever could
# write to it could have revisions left out, or applied twice.
_READ_ONLY = """
DO $$
DECLARE holder text;
BEGIN
    FOR holder IN
        SELECT DISTINCT CASE grantee WHEN 'PUBLIC' THEN grantee ELSE quote_ident(grantee) END
        FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND table_name = 'alembic_version'
            AND grantee <> current_user AND privilege_type <> 'SELECT'
    LOOP
        EXECUTE 'REVOKE ALL ON alembic_version FROM ' || holder;
        EXECUTE 'GRANT SELECT ON alembic_version TO ' || holder;
    END LOOP;
END $$
"""
_BEGINNING = re.compile(r"^-- Running upgrade .*-> (\w+)$", re.MULTILINE)


def upgrade(connection: Connection, revisions: Path, target: str) -> None:
    """Apply the revisions up to `target`, unless a newer release has applied more than there are here."""
    settings = _settings(revisions)
    settings.attributes["connection"] = connection
    _keep_version(connection, settings)
    newest = ScriptDirectory.from_config(settings).get_current_head() or ""
    current = MigrationContext.configure(connection).get_current_revision() or ""
    connection.commit()  # else all revisions would be in this transaction
    if current > newest:  # numbers of four digits
        logger.warning("The schema is at %s, newer than %s, the newest here: left alone.", current, newest)
        return
    command.upgrade(settings, target)
    reached = MigrationContext.configure(connection).get_current_revision() or ""
    connection.commit()
    logger.info("The schema is at %s, %s.", reached, _told(current, reached))


def _told(before: str, after: str) -> str:
    if before == after:
        return "as before"
    return f"which was at {before}" if before else "which was empty"


def _keep_version(connection: Connection, settings: Config) -> None:
    """Have a table that says how new the schema is, which nobody but the owner writes to.

    What earlier releases made is mended as well.
    """
    command.ensure_version(settings)
    connection.execute(text(_READ_ONLY))
    connection.commit()


def downgrade(connection: Connection, revisions: Path, target: str) -> None:
    """Undo the revisions after `target`."""
    settings = _settings(revisions)
    settings.attributes["connection"] = connection
    command.downgrade(settings, target)


def sql(revisions: Path) -> dict[str, str]:
    """Return what each revision runs, and the limits that it runs under."""
    output = io.StringIO()
    settings = _settings(revisions)
    settings.output_buffer = output
    command.upgrade(settings, "head", sql=True)
    _, *parts = _BEGINNING.split(output.getvalue())
    beginning = ";\n".join((*LIMITS, "BEGIN", ""))
    return {
        number: beginning + text.rstrip().removesuffix("BEGIN;")
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


def _settings(revisions: Path) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent))
    settings.set_main_option("version_locations", str(revisions))
    settings.set_main_option("path_separator", "newline")
    return settings
