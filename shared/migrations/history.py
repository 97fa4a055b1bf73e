"""What Alembic does with a service's revisions, on a connection or as SQL."""

import io
import logging
import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from shared.migrations.limits import LIMITS

logger = logging.getLogger("gerai.migrations")

_BEGINNING = re.compile(r"^-- Running upgrade .*-> (\w+)$", re.MULTILINE)


def upgrade(connection: Connection, revisions: Path, target: str) -> None:
    """Apply the revisions up to `target`, unless a newer release has applied more than there are here."""
    settings = _settings(revisions)
    settings.attributes["connection"] = connection
    newest = ScriptDirectory.from_config(settings).get_current_head() or ""
    current = MigrationContext.configure(connection).get_current_revision() or ""
    connection.commit()  # else all revisions would be in this transaction
    if current > newest:  # numbers of four digits
        logger.warning("The schema is at %s, newer than %s, the newest here: left alone.", current, newest)
        return
    command.upgrade(settings, target)


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
