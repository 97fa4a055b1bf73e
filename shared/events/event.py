"""Events as they travel: CloudEvents 1.0 in JSON (https://github.com/cloudevents/spec, structured mode)."""

import re
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from shared.events.changes import Change

_TYPE = re.compile(r"gerai\.(?P<kind>[a-z_]+\.[a-z_]+)\.v(?P<schema_version>[1-9][0-9]*)")


class UnreadableEvent(ValueError):
    """What a stream holds is not an event of this platform; no later attempt reads it better."""


class EventData(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the aggregate; `version` is the one it has since.

    `part_of` is the aggregate that it is part of; None for most.
    """

    version: int
    part_of: UUID | None = None
    actor: str
    request_id: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change, told to whoever must know. `traceparent` and `tracestate` continue its trace."""

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    subject: UUID
    time: datetime
    datacontenttype: str = "application/json"
    traceparent: str | None = None
    tracestate: str | None = None
    data: EventData

    @property
    def kind(self) -> str:
        """What happened, without the version of the schema: `client.changed`."""
        return _parts(self.type)["kind"]

    @property
    def schema_version(self) -> int:
        """The version of the schema that `before` and `after` follow."""
        return int(_parts(self.type)["schema_version"])


def encode_change(service: str, change: Change) -> bytes:
    """Return the event that tells of a change of `service`."""
    event = Event(
        specversion="1.0",
        id=change.event_id,
        source=f"/gerai/{service}",
        type=f"gerai.{change.type}.v{change.schema_version}",
        subject=change.aggregate_id,
        time=change.occurred_at,
        traceparent=change.traceparent,
        tracestate=change.tracestate,
        data=EventData(
            version=change.version,
            part_of=change.part_of,
            actor=change.actor,
            request_id=change.request_id,
            before=change.before,
            after=change.after,
        ),
    )
    # Without omit_defaults its content type would be left out as well, which not every reader expects.
    return msgspec.json.encode({"datacontenttype": event.datacontenttype, **msgspec.to_builtins(event)})


def decode_event(content: str) -> Event:
    """Return the event that `content` is, raising UnreadableEvent when it is none."""
    try:
        event = msgspec.json.decode(content, type=Event)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UnreadableEvent(f"not an event: {error}") from error
    _parts(event.type)
    return event


def _parts(type_: str) -> re.Match[str]:
    parts = _TYPE.fullmatch(type_)
    if parts is None:
        raise UnreadableEvent(f"'{type_}' is not a type of events here")
    return parts
