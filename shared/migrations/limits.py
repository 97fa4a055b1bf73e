"""How long a statement of a migration may take, and wait; each attempt begins by setting it."""

LIMITS = (
    # What waits for a table has everybody behind it wait too. Below deadlock_timeout, after which PostgreSQL
    # might end somebody's request instead of the migration.
    "SET lock_timeout = '500ms'",
    # For as long, at worst, a table is locked; what locks nobody out runs in `shared.migrations.online`.
    "SET statement_timeout = '30s'",
    # A runner that was killed leaves its lock, and whatever it was doing, at once.
    "SET client_connection_check_interval = '1s'",
)

NO_LIMITS = ("SET lock_timeout = 0", "SET statement_timeout = 0")
