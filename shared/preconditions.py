"""Entity tags and the conditions that requests make of them (RFC 9110, sections 8.8.3 and 13)."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from litestar import Response
from litestar.status_codes import HTTP_304_NOT_MODIFIED

from shared.errors import FieldError, GeraiError, InvalidInput
from shared.request import JsonRequest

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t]*{_TAG}(?:[ \t]*,[ \t]*{_TAG})*[ \t]*")
_ANY = "*"
_TAG_BYTES = 12


class PreconditionFailed(GeraiError):
    """What If-Match names is no longer, or never was, the present state."""

    status = 412
    code = "PRECONDITION_FAILED"
    template = (
        "It has changed since you read it: its entity tag is now {etag}. Read it again, then change it."
    )

    def __init__(self, *, etag: str = '"<version>"') -> None:
        super().__init__(etag=etag, headers={"ETag": etag})


def etag(*versions: int) -> str:
    """Return the strong entity tag of a representation that these versions decide."""
    return '"{}"'.format("-".join(map(str, versions)))


def content_etag(content: bytes) -> str:
    """Return the strong entity tag of a representation that nothing but its content tells apart."""
    return f'"{blake2b(content, digest_size=_TAG_BYTES).hexdigest()}"'


class Condition:
    """What a header If-Match or If-None-Match says; nothing when there is none.

    Raises:
        InvalidInput: when it is neither `*` nor a list of entity tags.
    """

    def __init__(self, name: str, value: str | None) -> None:
        self.given = value is not None
        self._any = value is not None and value.strip() == _ANY
        if value is not None and not self._any and not _TAGS.fullmatch(value):
            problem = 'must be * or entity tags in double quotes, such as "3"'
            raise InvalidInput(details=[FieldError(name, problem)])
        self._tags = frozenset(re.findall(_TAG, value or ""))

    def require(self, version: int) -> None:
        """Let what has this version be changed; by strong comparison, which a weak tag never passes.

        Raises:
            PreconditionFailed: when the condition is another.
        """
        self.require_tag(etag(version))

    def require_tag(self, tag: str) -> None:
        """Let what has this entity tag be changed. Compares and raises as `require` does."""
        if self.given and not self._any and tag not in self._tags:
            raise PreconditionFailed(etag=tag)

    def names(self, tag: str) -> bool:
        """Tell whether `tag` is among those named, by weak comparison."""
        return self._any or tag in self._tags or f"W/{tag}" in self._tags


UNCONDITIONAL = Condition("If-Match", None)


def if_match(request: JsonRequest) -> Condition:
    """Return the request's If-Match."""
    return Condition("If-Match", request.header(b"if-match"))


def if_none_match(request: JsonRequest) -> Condition:
    """Return the request's If-None-Match."""
    return Condition("If-None-Match", request.header(b"if-none-match"))


def not_modified(tag: str, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """Answer that the caller has what this entity tag stands for."""
    return Response(None, status_code=HTTP_304_NOT_MODIFIED, headers={**(headers or {}), "ETag": tag})
