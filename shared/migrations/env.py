"""Alembic's entry point: runs revisions on the connection that `upgrade` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
