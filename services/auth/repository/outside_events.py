"""Events that strangers can cause as often as they like, told in the audit within bounds."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from shared.db import Database, Question
from shared.db_errors import database_error
from shared.errors import ServiceUnavailable
from shared.events.changes import NOT_PUBLISHED, SCHEMA_VERSION
from shared.identifiers import new_uuid
from shared.telemetry.context import current_request

logger = logging.getLogger("gerai.auth.audit")

ANONYMOUS = "anonymous"
"""The actor of what somebody did who did not prove who they are."""

_SECONDS = 1.0

# The count is kept whether the event is told or not, so that both take the same statement.
_RECORD = Question(
    text(
        """
        WITH counted AS (
            INSERT INTO audit_counts AS kept (kind, number, window_started_at)
            VALUES (:kind, 1, clock_timestamp())
            ON CONFLICT (kind) DO UPDATE SET (number, window_started_at) = (
                SELECT CASE WHEN is_over THEN 1 ELSE kept.number + 1 END,
                       CASE WHEN is_over THEN clock_timestamp() ELSE kept.window_started_at END
                FROM (VALUES (kept.window_started_at <= clock_timestamp() - CAST(:window AS interval)))
                     AS kept_window (is_over)
            )
            RETURNING number, window_started_at
        )
        INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor,
                             request_id, after, occurred_at)
        SELECT CAST(:event_id AS uuid), CAST(:subject_type AS text), CAST(:subject AS uuid), :version,
               CAST(:type AS text), :schema_version, CAST(:actor AS text), CAST(:request_id AS text),
               CAST(:facts AS jsonb) || jsonb_build_object('number', number, 'since', window_started_at),
               CAST(:occurred_at AS timestamptz)
        FROM counted WHERE number <= CAST(:most AS bigint) OR number & (number - 1) = 0
        """
    )
)


class Bound(msgspec.Struct, frozen=True):
    """How much of one kind is told in a window of `seconds`: the first `most`, then each power of two."""

    most: int
    seconds: int


class OutsideEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to `subject`; `facts` must hold no secret. Events of one `kind` are counted together."""

    type: str
    kind: str
    subject_type: str
    subject: UUID
    actor: str = ANONYMOUS
    facts: Mapping[str, str | int | None]


class OutsideEvents:
    """Records events, each in a statement that commits by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, event: OutsideEvent, bound: Bound) -> None:
        """Count an event, and tell it with its number in the window as far as `bound` allows.

        When the database is away it is logged instead, so that the answer does not depend on the audit.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                await self._database.fetch_one(_RECORD, primary=True, **_parameters(event, bound))
        except Exception as error:
            if not isinstance(database_error(error), ServiceUnavailable):
                raise
            logger.warning(
                "The audit could not be written",
                extra={"fields": {"type": event.type, "subject": str(event.subject), **event.facts}},
            )


def _parameters(event: OutsideEvent, bound: Bound) -> dict[str, object]:
    request = current_request()
    return {
        "kind": event.kind,
        "window": timedelta(seconds=bound.seconds),
        "most": bound.most,
        "event_id": new_uuid(),
        "subject_type": event.subject_type,
        "subject": event.subject,
        "version": NOT_PUBLISHED,
        "type": event.type,
        "schema_version": SCHEMA_VERSION,
        "actor": event.actor,
        "request_id": request.request_id if request else None,
        "facts": msgspec.json.encode(event.facts).decode(),
        "occurred_at": datetime.now(UTC),
    }
