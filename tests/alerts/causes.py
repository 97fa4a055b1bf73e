"""Cases of the alerts that name a cause, just above and just below their thresholds."""

from tests.alerts.rules import Case

_STORE = 'job="gerai", service="store", instance="store:1"'
_UP = {
    f'up{{job="gerai", service="{name}", instance="{name}:1"}}': "1x30"
    for name in ("gateway", "auth", "client", "store")
}
_UP_STORE = 'up{job="gerai", service="store", instance="store:1"}'
_STORE_2 = 'up{job="gerai", service="store", instance="store:2"}'
_INSTANCE = {"job": "gerai", "service": "store", "instance": "store:1"}


def _without(name: str) -> dict[str, str]:
    return {series: values for series, values in _UP.items() if f'"{name}"' not in series}


def _lag(on_time: str, late: str) -> dict[str, str]:
    """Return a histogram with `on_time` each minute in the bucket that ends at 0.1 s, `late` in the next."""
    name = f"event_loop_lag_seconds_bucket{{{_STORE}, le="
    every = f"0+{float(on_time) + float(late)}x30"
    return {
        f'{name}"0.05"}}': "0x30",
        f'{name}"0.1"}}': f"0+{on_time}x30",
        f'{name}"0.25"}}': every,
        f'{name}"+Inf"}}': every,
    }


def _events(lag: int, pending: int, handled: str) -> dict[str, str]:
    labels = f'{{{_STORE}, consumer="store"}}'
    return {
        f"events_consumer_lag{labels}": f"{lag}x30",
        f"events_consumer_pending{labels}": f"{pending}x30",
        f'events_consumed_total{{{_STORE}, consumer="store", outcome="applied"}}': handled,
    }


def _pool(used: int) -> dict[str, str]:
    return {
        f'db_client_connections{{{_STORE}, pool="read", state="used"}}': f"{used}x30",
        f'db_client_connections{{{_STORE}, pool="read", state="idle"}}': f"{1000 - used}x30",
        f'db_client_connections_max{{{_STORE}, pool="read"}}': "1000x30",
    }


def _reads(hits: float, bypasses: float) -> dict[str, str]:
    labels = f'{_STORE}, cache="store", result='
    return {
        f'cache_requests_total{{{labels}"hit"}}': f"0+{hits}x40",
        f'cache_requests_total{{{labels}"bypass"}}': f"0+{bypasses}x40",
    }


_CONSUMER = {"service": "store", "consumer": "store"}
_POOL = {"service": "store", "pool": "read"}
_DAY = 86_400
_PASSES = 4.5 * 60
"""Seconds after the start at which what grows old is too old: noticed in the fifth minute."""

_CERTIFICATE = 'probe_ssl_earliest_cert_expiry{job="probe", instance="https://api.example"}'
_FRONT = {"job": "probe", "instance": "https://api.example"}
_KEY = 'auth_signing_key_created_timestamp_seconds{job="gerai", service="auth", instance="auth:1"}'
_BACKUP = 'backup_last_success_timestamp_seconds{job="backup"}'
_ARCHIVED = 'backup_archived_through_timestamp_seconds{job="backup"}'
_RESTORE = 'backup_restore_last_success_timestamp_seconds{job="backup"}'
_JOB = {"job": "backup"}

PROCESSES = (
    Case("ServiceDown", "10m", _UP),
    Case(
        "ServiceDown",
        "6m",
        _without("store") | {_UP_STORE: "1x4 0x20", _STORE_2: "0x24"},
        [{"service": "store"}],
    ),
    Case("ServiceDown", "5m", _without("store") | {_UP_STORE: "1x4 0x20"}),
    Case("ServiceDown", "10m", _UP | {_STORE_2: "0x24"}),
    *(
        Case("ServiceDown", "1m", _without(name), [{"job": "gerai", "service": name}])
        for name in ("gateway", "auth", "client", "store")
    ),
    Case("ServiceDown", "0m", _without("store")),
    Case("InstanceDown", "10m", {_UP_STORE: "1x4 0x20", _STORE_2: "1x30"}, [_INSTANCE]),
    Case("InstanceDown", "9m", {_UP_STORE: "1x4 0x20"}),
    Case(
        "InstanceRestarts",
        "20m",
        {f"process_start_time_seconds{{{_STORE}}}": "1x4 2x4 3x4 4x20"},
        [_INSTANCE],
    ),
    Case("InstanceRestarts", "20m", {f"process_start_time_seconds{{{_STORE}}}": "1x4 2x4 3x20"}),
    Case(
        "MonitoringDown",
        "15m",
        {'up{job="postgres", instance="exporter:1"}': "1x4 0x20"},
        [{"job": "postgres", "instance": "exporter:1"}],
    ),
    Case("MonitoringDown", "14m", {'up{job="postgres", instance="exporter:1"}': "1x4 0x20"}),
    Case("MonitoringDown", "15m", {_UP_STORE: "0x30"}),
    Case("EventLoopBlocked", "6m", _lag("989.8", "10.2"), [{"service": "store", "instance": "store:1"}]),
    Case("EventLoopBlocked", "5m", _lag("989.8", "10.2")),
    Case("EventLoopBlocked", "20m", _lag("990.2", "9.8")),
    Case(
        "BreakerOpen",
        "7m",
        {f'http_client_breaker_state{{{_STORE}, target="client"}}': "0x4 2 1 2 1 2 1 2"},
        [{"service": "store", "target": "client"}],
    ),
    Case(
        "BreakerOpen", "6m", {f'http_client_breaker_state{{{_STORE}, target="client"}}': "0x4 2 1 2 1 2 1 2"}
    ),
    Case("BreakerOpen", "20m", {f'http_client_breaker_state{{{_STORE}, target="client"}}': "1x30"}),
)

EVENTS = (
    Case(
        "RelayStuck", "6m", {f"events_outbox_oldest_seconds{{{_STORE}}}": "0x4 61x30"}, [{"service": "store"}]
    ),
    Case("RelayStuck", "5m", {f"events_outbox_oldest_seconds{{{_STORE}}}": "0x4 61x30"}),
    Case("RelayStuck", "20m", {f"events_outbox_oldest_seconds{{{_STORE}}}": "59x30"}),
    Case("ConsumerStuck", "5m", _events(1, 0, "5x30"), [_CONSUMER]),
    Case("ConsumerStuck", "5m", _events(0, 1, "5x30"), [_CONSUMER]),
    Case("ConsumerStuck", "4m", _events(1, 0, "5x30")),
    Case("ConsumerStuck", "20m", _events(0, 0, "5x30")),
    Case("ConsumerStuck", "20m", _events(5, 5, "0+30x30")),
    Case("ConsumerBehind", "5m", _events(600, 401, "0+30x30"), [_CONSUMER]),
    Case("ConsumerBehind", "4m", _events(600, 401, "0+30x30")),
    Case("ConsumerBehind", "20m", _events(600, 399, "0+30x30")),
    Case("DeadLetters", "5m", {f'events_dead_letters{{{_STORE}, consumer="store"}}': "1x30"}, [_CONSUMER]),
    Case("DeadLetters", "4m", {f'events_dead_letters{{{_STORE}, consumer="store"}}': "1x30"}),
    Case("DeadLetters", "20m", {f'events_dead_letters{{{_STORE}, consumer="store"}}': "0x30"}),
)

_SERVER = 'pg_up{job="postgres", instance="exporter:1"}'
_LAG = f"database_replica_lag_seconds{{{_STORE}}}"
_TIMEOUTS = f'db_client_connection_timeouts_total{{{_STORE}, pool="read"}}'
_ANSWERS = f"redis_client_available{{{_STORE}}}"

_EXPORTER = {"job": "postgres", "instance": "exporter:1"}
_OF_EXPORTER = 'job="postgres", instance="exporter:1"'
_OPEN = f"pg_long_running_transactions_oldest_timestamp_seconds{{{_OF_EXPORTER}}}"
_SLOT = f'pg_replication_slots_pg_wal_lsn_diff{{{_OF_EXPORTER}, slot_name="backup", slot_type="physical"}}'
_IDS = [
    f'pg_database_wraparound_age_{name}_seconds{{{_OF_EXPORTER}, datname="gerai_store"}}'
    for name in ("datfrozenxid", "datminmxid")
]
_DATABASE = _EXPORTER | {"datname": "gerai_store"}


def _wal(percent: int) -> dict[str, str]:
    return {
        f"pg_wal_size_bytes{{{_OF_EXPORTER}}}": f"{percent}x30",
        f'pg_settings_max_wal_size_bytes{{{_OF_EXPORTER}, server="db:5432"}}': "100x30",
    }


def _connections(active: int, idle: int) -> dict[str, str]:
    count = f"pg_stat_activity_count{{{_OF_EXPORTER}, state="
    return {
        f'{count}"active"}}': f"{active}x30",
        f'{count}"idle"}}': f"{idle}x30",
        f'pg_settings_max_connections{{{_OF_EXPORTER}, server="db:5432"}}': "100x30",
    }


UPKEEP = (
    Case("TransactionOpenLong", "5m", {_OPEN: "910x30"}, [_EXPORTER]),
    Case("TransactionOpenLong", "4m", {_OPEN: "910x30"}),
    Case("TransactionOpenLong", "20m", {_OPEN: "890x30"}),
    *(
        case
        for ids in _IDS
        for case in (
            Case("TransactionIdsAge", "60m", {ids: "510000000x90"}, [_DATABASE]),
            Case("TransactionIdsAge", "59m", {ids: "510000000x90"}),
            Case("TransactionIdsAge", "90m", {ids: "490000000x90"}),
            Case("TransactionIdsRunOut", "5m", {ids: "1010000000x30"}, [_DATABASE]),
            Case("TransactionIdsRunOut", "4m", {ids: "1010000000x30"}),
            Case("TransactionIdsRunOut", "20m", {ids: "990000000x30"}),
        )
    ),
    Case("SlotKeepsWal", "10m", {_SLOT: "1100000000x30"}, [_EXPORTER | {"slot_name": "backup"}]),
    Case("SlotKeepsWal", "9m", {_SLOT: "1100000000x30"}),
    Case("SlotKeepsWal", "20m", {_SLOT: "1050000000x30"}),
    Case("WalPilesUp", "15m", _wal(310), [_EXPORTER]),
    Case("WalPilesUp", "14m", _wal(310)),
    Case("WalPilesUp", "20m", _wal(290)),
    Case("ConnectionsNearlyUsedUp", "10m", _connections(20, 61), [_EXPORTER]),
    Case("ConnectionsNearlyUsedUp", "9m", _connections(20, 61)),
    Case("ConnectionsNearlyUsedUp", "20m", _connections(20, 59)),
)

DATABASE = (
    Case("DatabaseDown", "6m", {_SERVER: "1x4 0x30"}, [{"job": "postgres", "instance": "exporter:1"}]),
    Case("DatabaseDown", "5m", {_SERVER: "1x4 0x30"}),
    Case("DatabaseDown", "20m", {_SERVER: "1x30"}),
    Case("ReplicaBehind", "5m", {_LAG: "5.1x30"}, [{"service": "store"}]),
    Case("ReplicaBehind", "4m", {_LAG: "5.1x30"}),
    Case("ReplicaBehind", "20m", {_LAG: "4.9x30"}),
    Case("PoolExhausted", "7m", {_TIMEOUTS: "0+6.2x30"}, [_POOL]),
    Case("PoolExhausted", "6m", {_TIMEOUTS: "0+6.2x30"}),
    Case("PoolExhausted", "20m", {_TIMEOUTS: "0+5.8x30"}),
    Case("PoolNearlyFull", "10m", _pool(810), [_POOL | {"instance": "store:1"}]),
    Case("PoolNearlyFull", "9m", _pool(810)),
    Case("PoolNearlyFull", "20m", _pool(790)),
)

CACHE = (
    Case("CacheDown", "7m", {_ANSWERS: "1x4 0x30"}, [{"service": "store"}]),
    Case("CacheDown", "6m", {_ANSWERS: "1x4 0x30"}),
    Case("CacheDown", "20m", {_ANSWERS: "0.49x30"}, [{"service": "store"}]),
    Case("CacheDown", "20m", {_ANSWERS: "0.51x30"}),
    Case("CacheBypassed", "11m", _reads(480, 520), [{"service": "store"}]),
    Case("CacheBypassed", "10m", _reads(480, 520)),
    Case("CacheBypassed", "30m", _reads(520, 480)),
    Case("CacheBypassed", "30m", _reads(1.5, 30), [{"service": "store"}]),
    Case("CacheBypassed", "30m", _reads(1.5, 27)),
)

EXPIRY = (
    Case("CertificateExpiresSoon", "65m", {_CERTIFICATE: f"{14 * _DAY + _PASSES}x90"}, [_FRONT]),
    Case("CertificateExpiresSoon", "64m", {_CERTIFICATE: f"{14 * _DAY + _PASSES}x90"}),
    Case("CertificateExpires", "5m", {_CERTIFICATE: f"{3 * _DAY + _PASSES}x90"}, [_FRONT]),
    Case("CertificateExpires", "4m", {_CERTIFICATE: f"{3 * _DAY + _PASSES}x90"}),
    Case("SigningKeyOld", "65m", {_KEY: f"{_PASSES - 90 * _DAY}x90"}, [{}]),
    Case("SigningKeyOld", "64m", {_KEY: f"{_PASSES - 90 * _DAY}x90"}),
    Case("BackupTooOld", "10m", {_BACKUP: f"{_PASSES - 26 * 3600}x90"}, [_JOB]),
    Case("BackupTooOld", "9m", {_BACKUP: f"{_PASSES - 26 * 3600}x90"}),
    Case("ChangesNotArchived", "10m", {_ARCHIVED: f"{_PASSES - 10 * 60}x90"}, [_JOB]),
    Case("ChangesNotArchived", "9m", {_ARCHIVED: f"{_PASSES - 10 * 60}x90"}),
    Case("RestoreDrillTooOld", "65m", {_RESTORE: f"{_PASSES - 8 * _DAY}x90"}, [_JOB]),
    Case("RestoreDrillTooOld", "64m", {_RESTORE: f"{_PASSES - 8 * _DAY}x90"}),
    Case("BackupUnknown", "60m", {_BACKUP: "0x90"}, [{}]),
    Case("BackupUnknown", "60m", {_RESTORE: "0x90"}, [{}]),
    Case("BackupUnknown", "59m", {_BACKUP: "0x90"}),
    Case("BackupUnknown", "90m", {_BACKUP: "0x90", _RESTORE: "0x90"}),
)

CAUSES = (*PROCESSES, *EVENTS, *DATABASE, *UPKEEP, *CACHE, *EXPIRY)
