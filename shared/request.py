"""Strict reading of requests: bodies as msgspec structs, query strings as structs."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, NoReturn, TypeVar, cast

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import InternalServerException

from shared.conversion import query_fields, to_struct
from shared.deadline import renew
from shared.errors import FieldError, InvalidInput, MalformedBody, PayloadTooLarge, UnsupportedMediaType
from shared.security.principal import Principal

S = TypeVar("S", bound=msgspec.Struct)

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_CHARSET = re.compile(r""";\s*charset="?([^";\s]*)""")


class JsonRequest(Request[None, Principal, State]):
    """A request whose JSON body is read strictly, into the type its handler declares."""

    async def body(self) -> bytes:
        """Return the body.

        Raises:
            MalformedBody: when it breaks off.
        """
        try:
            return await super().body()
        except InternalServerException:  # Litestar's way to say that the caller has left
            raise _broken_off() from None

    async def json(self) -> Any:  # noqa: ANN401 - Litestar's own signature
        """Return the body as the type of the handler's `data`.

        Raises:
            UnsupportedMediaType: when it is not sent as JSON.
            MalformedBody: when it is no JSON object in UTF-8, has duplicate keys or is nested too deeply.
            InvalidInput: with each missing, unknown or wrong field.
        """
        self._require_media_type()
        field = self.route_handler.parsed_data_field
        content = parse_object(await self.body())
        return to_struct(content, field.annotation, strict=True) if field else content

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; the request's time limit counts anew from each piece.

        Raises:
            PayloadTooLarge: when it is larger than the route takes.
            MalformedBody: when it breaks off.
        """
        limit = cast("int", self.route_handler.resolve_request_max_body_size())
        if int(self.headers.get("content-length", 0)) > limit:
            raise PayloadTooLarge(limit=limit)
        total, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] != "http.request":
                raise _broken_off()
            total += len(message["body"])
            if total > limit:
                raise PayloadTooLarge(limit=limit)
            yield message["body"]
            renew()
            more = message["more_body"]

    def media_type(self) -> str:
        """Return the media type of the body, without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def require_media_type(self, *accepted: str) -> None:
        """Raise UnsupportedMediaType unless the body is one of `accepted`, in UTF-8 and not compressed."""
        charset = _CHARSET.search(self.headers.get("content-type", "").lower())
        utf8 = charset is None or charset[1] in {"utf-8", "utf8"}
        if self.media_type() not in accepted or not utf8 or self._is_compressed():
            raise UnsupportedMediaType(accepted=" or ".join(accepted) + " in UTF-8, not compressed")

    def header(self, name: bytes) -> str | None:
        """Return a header's value, several joined as one list (RFC 9110, section 5.3); None without it."""
        values = [value for each, value in self.scope["headers"] if each == name]
        return b", ".join(values).decode("latin-1") if values else None

    def query(self, type_: type[S]) -> S:
        """Return the query string as `type_`; unknown parameters are invalid."""
        return to_struct(query_fields(self.scope["query_string"]), type_, strict=False)

    def _require_media_type(self) -> None:
        accepted = [_JSON, _MERGE_PATCH] if self.method == "PATCH" else [_JSON]
        media_type, _, parameters = self.headers.get("content-type", "").partition(";")
        charset = parameters.lower().replace(" ", "").removeprefix("charset=").strip('"')
        utf8 = charset in {"", "utf-8"}
        if media_type.strip().lower() not in accepted or not utf8 or self._is_compressed():
            raise UnsupportedMediaType(accepted=" or ".join(accepted), headers={"Accept-Patch": _MERGE_PATCH})

    def _is_compressed(self) -> bool:
        return self.headers.get("content-encoding", "identity").lower() != "identity"


def parse_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object (RFC 8259) read from `body`, raising MalformedBody when it is none."""
    plain = _plain(body)
    if plain is not None:
        return plain
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if b"\\u" in body:  # a lone surrogate may be written as an escape
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise MalformedBody(reason="it is not valid UTF-8") from None
    except RecursionError:
        raise MalformedBody(reason="it is nested too deeply") from None
    except ValueError as error:
        raise MalformedBody(reason=f"it is not valid JSON ({_place(error)})") from None
    if not isinstance(value, dict):
        raise MalformedBody(reason="it must be a JSON object")
    return cast("dict[str, Any]", value)


def _plain(body: bytes) -> dict[str, Any] | None:
    """Return a body that is as most are, read in a fraction of the time; None for what needs a closer look.

    Each member has a colon of its own. No more colons than names: no name is there twice, and nothing within.
    """
    if b"\\u" in body:
        return None
    try:
        value = _PLAIN.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if len(value) == body.count(b":") else None


def _broken_off() -> MalformedBody:
    return MalformedBody(reason="it broke off before its end")


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise InvalidInput(details=[FieldError(name, "is given more than once") for name in repeated])
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _place(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return str(error).partition(";")[0]


_PLAIN = msgspec.json.Decoder(dict[str, Any])
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
