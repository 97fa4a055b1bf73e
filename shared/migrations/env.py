"""Alembic's entry point: runs revisions on the connection that the runner opened, or prints their SQL.

Each revision has a transaction of its own, so that no lock is held for longer than one needs it.
"""

from alembic import context

from shared.migrations.limits import LIMITS

context.configure(
    connection=context.config.attributes.get("connection"),
    dialect_name="postgresql",
    literal_binds=context.is_offline_mode(),
    transaction_per_migration=True,
)
with context.begin_transaction():
    for limit in LIMITS:
        context.execute(limit)
    context.run_migrations()
