"""Strict reading of requests: bodies as msgspec structs, query strings as structs."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar, cast

import msgspec
from litestar import Request
from litestar.datastructures import State

from shared.conversion import query_fields, to_struct
from shared.errors import FieldError, InvalidInput, MalformedBody, UnsupportedMediaType
from shared.security.principal import Principal

S = TypeVar("S", bound=msgspec.Struct)

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"


class JsonRequest(Request[None, Principal, State]):
    """A request whose JSON body is read strictly, into the type its handler declares."""

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
        if media_type.strip().lower() not in accepted or charset not in {"", "utf-8"}:
            raise UnsupportedMediaType(accepted=" or ".join(accepted), headers={"Accept-Patch": _MERGE_PATCH})


def parse_object(body: bytes) -> dict[str, Any]:
    """Return a JSON object (RFC 8259) read from `body`, raising MalformedBody when it is none."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # refuses lone surrogates written as escapes
    except UnicodeError:
        raise MalformedBody(reason="it is not valid UTF-8") from None
    except RecursionError:
        raise MalformedBody(reason="it is nested too deeply") from None
    except ValueError as error:
        raise MalformedBody(reason=f"it is not valid JSON ({_place(error)})") from None
    if not isinstance(value, dict):
        raise MalformedBody(reason="it must be a JSON object")
    return cast("dict[str, Any]", value)


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
