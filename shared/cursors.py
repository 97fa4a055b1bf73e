"""Cursors: where a walk through a list stands, as opaque text.

A cursor holds the sort values of a page's last row and what the first page decided for the whole walk, with
a checksum that binds both to the filters, the sort and whose eyes the list is for. It grants nothing.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from shared.errors import FieldError, InvalidInput

REFUSED = FieldError("cursor", "must be a next_cursor of the same filters and sort")


def write_cursor(values: Sequence[object], carried: Mapping[str, object], binding: str) -> str:
    """Return the cursor of a page whose last row has these sort values."""
    content: list[Any] = msgspec.to_builtins([*values, *([carried] if carried else [])])
    whole = msgspec.json.encode([_checksum(content, binding), *content])
    return base64.urlsafe_b64encode(whole).decode().rstrip("=")


def read_cursor(cursor: str, kinds: Sequence[type], binding: str) -> list[object]:
    """Return the sort values that a cursor holds, as these types.

    Raises:
        InvalidInput: when it is not one, or of another list.
    """
    try:
        checksum, *content = _content(cursor)
        values = content[: len(kinds)]
        converted: list[object] = [
            msgspec.convert(value, kind, strict=False) for value, kind in zip(values, kinds, strict=True)
        ]
    except (ValueError, msgspec.MsgspecError):
        raise InvalidInput(details=[REFUSED]) from None
    if checksum != _checksum(content, binding):
        raise InvalidInput(details=[REFUSED])
    return converted


def carried_by(cursor: str | None) -> dict[str, Any]:
    """Return what the first page of a walk decided for the others; empty where nothing can be read.

    It is as the caller sent it: use what has the form and the range it should have, and nothing else.
    """
    try:
        *_, last = _content(cursor or "")
    except (ValueError, msgspec.MsgspecError):
        return {}
    return cast("dict[str, Any]", last) if isinstance(last, dict) else {}


def _content(cursor: str) -> list[Any]:
    return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[Any])


def _checksum(content: Sequence[object], binding: str) -> str:
    return hashlib.sha256(msgspec.json.encode([content, binding])).hexdigest()[:16]
