import struct
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import islice, pairwise

import pytest

from shared.hours.spans import STEP, spans
from shared.zones import time_zone, time_zones

_HEADER = struct.Struct(">4s1s15x6I")


def changes_of_clocks(name: str) -> list[int]:
    """Return the seconds since 1970 at which the offset of a zone changes, from its file (RFC 9636)."""
    content = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    start = content.index(b"TZif", 1)  # the block with 64 bits
    *_, count, types, _ = _HEADER.unpack_from(content, start)
    start += _HEADER.size
    instants = struct.unpack_from(f">{count}q", content, start)
    indices = content[start + 8 * count : start + 9 * count]
    offsets = [struct.unpack_from(">i2x", content, start + 9 * count + 6 * each)[0] for each in range(types)]
    found, offset = list[int](), None
    for instant, index in zip(instants, indices, strict=True):
        if offsets[index] != offset:
            found.append(instant)
        offset = offsets[index]
    return found


def test_no_clocks_are_changed_twice_within_a_step() -> None:
    found = {name: changes_of_clocks(name) for name in time_zones()}
    assert len(found["Europe/London"]) > 100
    between = [after - before for changes in found.values() for before, after in pairwise(changes)]
    assert timedelta(seconds=min(between)) > STEP


@pytest.mark.parametrize(
    ("zone", "change", "before", "after"),
    [
        ("Europe/London", "2026-03-29T01:00", 0, 60),
        ("Australia/Lord_Howe", "2026-10-03T15:30", 630, 660),
        ("Pacific/Apia", "2011-12-30T10:00", -600, 840),
        ("Asia/Kathmandu", "1985-12-31T18:30", 330, 345),
    ],
)
@pytest.mark.parametrize("lead", [timedelta(microseconds=1), timedelta(hours=5), STEP])
def test_a_span_ends_where_clocks_are_changed(
    zone: str, change: str, before: int, after: int, lead: timedelta
) -> None:
    at = datetime.fromisoformat(change).replace(tzinfo=UTC)
    first, second = islice(spans(time_zone(zone), at - lead), 2)
    assert (first.start, first.end, first.offset) == (at - lead, at, timedelta(minutes=before))
    assert (second.start, second.offset) == (at, timedelta(minutes=after))
