"""Rows of each kind that later revisions meet, by the revision that makes their tables."""

_CHANGE = """
INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor,
                     occurred_at)
VALUES (md5('2')::uuid, 'thing', md5('1')::uuid, 1, 'thing.created', 1, 'system', now())
ON CONFLICT DO NOTHING;
INSERT INTO outbox SELECT id FROM changes WHERE event_id = md5('2')::uuid ON CONFLICT DO NOTHING
"""
_SCHEDULE = """
INSERT INTO workhours (uuid, owner_uuid, hours) VALUES
    (md5('1')::uuid, md5('1')::uuid, '[{"day": "monday", "opens": "08:00", "closes": "17:00"}]')
ON CONFLICT DO NOTHING;
INSERT INTO workhour_exceptions (uuid, owner_uuid, first, last, intervals, title)
VALUES (md5('1')::uuid, md5('1')::uuid, '2026-12-25', '2026-12-26', '[]', 'Natal')
ON CONFLICT DO NOTHING;
INSERT INTO workhour_exception_days (owner_uuid, day, exception_uuid)
VALUES (md5('1')::uuid, '2026-12-25', md5('1')::uuid), (md5('1')::uuid, '2026-12-26', md5('1')::uuid)
ON CONFLICT DO NOTHING;
INSERT INTO workhour_pauses (uuid, owner_uuid, until)
VALUES (md5('1')::uuid, md5('1')::uuid, now() + interval '1 day')
ON CONFLICT DO NOTHING
"""
_STAGED = """
INSERT INTO imports (uuid, actor, mode, dry_run, atomic) VALUES (md5('1')::uuid, 'x', 'create', false, true)
ON CONFLICT DO NOTHING;
INSERT INTO import_rows (import_uuid, line, uuid, event, key, columns)
VALUES (md5('1')::uuid, 1, md5('1')::uuid, md5('2')::uuid, 'x', '{}')
ON CONFLICT DO NOTHING
"""
_KEY = """
INSERT INTO idempotency_keys (caller, route, key, fingerprint, authority, status, headers, body)
VALUES ('x', 'POST /', 'x', sha256('x'), 'x', 201, '{}', '')
ON CONFLICT DO NOTHING
"""

ROWS = {
    "auth": {
        "0001": """
            INSERT INTO users (uuid, email, email_key, name, name_key, role, password_hash, search)
            VALUES (md5('1')::uuid, 'a@b.example', 'a@b.example', 'A', 'a', 'admin', 'x', 'a'::tsvector)
            ON CONFLICT DO NOTHING;
            INSERT INTO sessions (uuid, user_uuid, expires_at) VALUES (md5('1')::uuid, md5('1')::uuid, now())
            ON CONFLICT DO NOTHING;
            INSERT INTO refresh_tokens (digest, session_uuid, generation, expires_at)
            VALUES (sha256('x'), md5('1')::uuid, 1, now())
            ON CONFLICT DO NOTHING;
            INSERT INTO sign_in_attempts VALUES (sha256('x'), 1, now(), now()) ON CONFLICT DO NOTHING
            """,
        "0002": _CHANGE,
        "0003": _KEY,
    },
    "client": {
        "0001": """
            INSERT INTO clients (uuid, name, name_key, email, email_key, country, timezone, search)
            VALUES (md5('1')::uuid, 'Kopi', 'kopi', 'a@b.example', 'a@b.example', 'ID',
                    'Asia/Jakarta', ''::tsvector)
            ON CONFLICT DO NOTHING
            """,
        "0002": _CHANGE,
        "0003": _KEY,
        "0005": _STAGED,
        "0006": _SCHEDULE,
    },
    "store": {
        "0001": """
            INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, country, timezone,
                                search, latitude, longitude, is_active)
            VALUES (md5('1')::uuid, md5('1')::uuid, 'A', 'a', 'A', 'a', 'ID',
                    'Asia/Jakarta', ''::tsvector, -6.2, 106.8, false)
            ON CONFLICT DO NOTHING
            """,
        "0002": _CHANGE,
        "0003": _KEY,
        "0005": _STAGED,
        "0006": _SCHEDULE,
    },
}

KEPT = {"auth": "users", "client": "clients", "store": "stores"}
"""A table that every revision after the first keeps as it is, with its rows."""
