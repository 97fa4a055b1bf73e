import os
import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfoNotFoundError

import pytest

from shared.zones import is_time_zone, time_zone, time_zone_problems, time_zones


def test_every_zone_that_is_accepted_can_be_used() -> None:
    assert {time_zone(name).key for name in time_zones()} == time_zones()


@pytest.mark.parametrize(
    "name", ["Europe/Atlantis", "localtime", "asia/jakarta", "../tzdata", "/etc/passwd", ""]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    assert not is_time_zone(name)
    assert [problem.field for problem in time_zone_problems("timezone", name)] == ["timezone"]
    with pytest.raises(ZoneInfoNotFoundError):
        time_zone(name)


def test_zones_of_the_system_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia/Jakarta").write_bytes(b"not a zone")
    (tmp_path / "Narnia").write_bytes(b"TZif")
    script = "from shared.zones import *; print(time_zone('Asia/Jakarta').key, is_time_zone('Narnia'))"
    told = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONTZPATH": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.split() == ["Asia/Jakarta", "False"]
