"""What can be told of the dashboards without Prometheus and Grafana."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogue import documented_names
from tests.support.dashboards import FILES, metrics_in, panels, queries, read

DATASOURCES = [{"type": "prometheus", "uid": "prometheus"}, {"type": "tempo", "uid": "tempo"}]

OF_OTHERS = {
    *("up", "pg_up", "redis_up"),
    *("pg_database_size_bytes", "pg_locks_count", "pg_settings_max_connections"),
    *("pg_stat_activity_count", "pg_stat_activity_max_tx_duration"),
    *("pg_stat_database_blks_hit", "pg_stat_database_blks_read", "pg_stat_database_deadlocks"),
    *("pg_stat_database_numbackends", "pg_stat_database_temp_bytes"),
    *("pg_stat_database_tup_deleted", "pg_stat_database_tup_inserted"),
    *("pg_stat_database_tup_returned", "pg_stat_database_tup_updated"),
    *("pg_stat_database_xact_commit", "pg_stat_database_xact_rollback"),
    *("redis_commands_duration_seconds_total", "redis_commands_total", "redis_connected_clients"),
    *("redis_db_keys", "redis_evicted_keys_total", "redis_memory_used_bytes"),
}
"""What Prometheus and the exporters of PostgreSQL and Redis make."""


def test_there_is_one_for_each_service_and_each_has_a_name_of_its_own() -> None:
    uids = [read(file)["uid"] for file in FILES]
    assert len(set(uids)) == len(uids)
    wanted = {"overview", "gateway", "auth", "client", "store", "data", "cache-events"}
    assert set(uids) == {f"gerai-{name}" for name in wanted}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_panel_says_what_it_shows_in_which_unit_from_where(file: Path) -> None:
    dashboard = read(file)
    assert dashboard["description"]
    assert "gerai" in dashboard["tags"]
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] in DATASOURCES, panel["title"]
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_panel_covers_another(file: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in read(file)["panels"]:
        cells = set(_cells(panel["gridPos"]))
        assert not cells & taken, panel["title"]
        taken |= cells
        assert all(x < 24 for x, _ in cells), panel["title"]


def test_every_metric_is_documented_or_known_to_be_somebody_elses() -> None:
    asked = {metric for query in queries() for metric in metrics_in(query.expression)}
    assert asked - documented_names() - OF_OTHERS == set()
    assert OF_OTHERS - asked == set()


def _cells(place: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        for y in range(place["y"], place["y"] + place["h"]):
            yield x, y
