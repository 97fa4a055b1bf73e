"""Input that a careless or hostile caller sends, and that no service may answer with 500."""

from typing import Any

HUGE = 2**70

BODIES = {
    "empty": b"",
    "cut off": b"{",
    "an array": b"[]",
    "null": b"null",
    "text": b'"text"',
    "a trailing comma": b'{"name": "a",}',
    "a byte order mark": b'\xef\xbb\xbf{"name": "a"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "invalid UTF-8": b'{"name": "\xff"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a raw NUL": b'{"name": "\x00"}',
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"name":' * 100_000,
    "a deep unknown member": b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key twice": b'{"name": "a", "name": "b"}',
    "a nested key twice": b'{"name": {"a": 1, "a": 2}}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "-Infinity": b'{"name": -Infinity}',
    "a number of 5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "an unknown member": b'{"unknown": 1}',
    "a prototype": b'{"__proto__": {"is_admin": true}}',
}
"""Bodies that no endpoint accepts."""

LINES: dict[str, Any] = {
    "empty": "",
    "spaces": "   ",
    "NUL": "a\x00b",
    "a line feed": "a\nb",
    "a line feed at the end": "a\n",
    "an escape": "a\x1b[31m",
    "a bidirectional override": "a\u202eb",
    "a bidirectional isolate": "a\u2066b",
    "a zero-width space": "a\u200bb",
    "a word joiner": "a\u2060b",
    "a byte order mark": "a\ufeffb",
    "a line separator": "a\u2028b",
    "a soft hyphen": "a\u00adb",
    "a filler": "\u3164",
    "a megabyte": "x" * 1_000_000,
    "a megabyte of spaces": " " * 1_000_000,
    "a number": 1,
    "a huge number": HUGE,
    "a boolean": True,
    "an array": ["a"],
    "an object": {"a": 1},
}
"""Values that no single-line text accepts; null is for those that are required."""

COORDINATES: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "beyond a double": b"1e999",
    "minus beyond a double": b"-1e999",
    "beyond 64 bits": str(HUGE).encode(),
    "400 digits": b"9" * 400,
    "out of range": b"180.0000001",
    "text": b'"1"',
    "a boolean": b"true",
    "an array": b"[1]",
}
"""JSON that is no coordinate."""

QUERIES = (
    "page=0",
    "page=-1",
    "page=1.5",
    "page=x",
    "page=",
    f"page={HUGE}",
    f"page={'9' * 5000}",
    "limit=0",
    "limit=101",
    "limit=1000000000",
    f"limit={HUGE}",
    "limit=NaN",
    "sort=uuid",
    "sort=name,name",
    "sort=name,-name",
    "sort=",
    "sort=name;drop",
    "cursor=",
    "cursor=x",
    "cursor=%00",
    "cursor=%F0%9F%8D%9C",
    "cursor=WyJ4Il0",
    "cursor=W10",
    "cursor=e30",
    "cursor=" + "A" * 3000,
    "page=1&page=2",
    "q=a&q=b",
    "unknown=1",
    "deleted_at=x",
    "q=%ff",
    "q=" + "x" * 201,
    "uuids=1,2",
    "uuids=" + ",".join(["0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"] * 101),
    "is_active=maybe",
    "is_active=2",
    "country=id",
    "country=%49%44%0a",
    "city=%00",
    "city=" + "x" * 201,
    "&".join(f"a{number}=1" for number in range(60)),
)
"""Query strings that no list accepts."""

SEARCHES = (
    "%00",
    "%27",
    "%27%20%7C%20%27",
    "a%3A%2A%20%26%20%21b",
    "%3C-%3E",
    "%5C",
    "%25",
    "_",
    "%28%28%28",
    "%F0%9F%98%80",
    "%EF%BF%BD",
    "%E2%80%AE",
    "+".join(["a"] * 100),
)
"""Searches that are odd and still fine."""

UUIDS = (
    "x",
    "1",
    "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5",
    "0199c5a07d1e7cc3b0f53a1b6c2d4e5f",
    "{0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f}",
    "urn:uuid:0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f",
    "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f%0a",
    "%00",
    "%ff",
    "%F0%9F%8D%9C",
    "x" * 5000,
    "\uff10199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f",
)
"""Path segments that are no UUID."""

MEDIA_TYPES = (
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "",
)
"""Content types that no endpoint reads."""
