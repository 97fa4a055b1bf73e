"""Clients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None

LIVING = sa.text("deleted_at IS NULL")
INACTIVE = sa.text("deleted_at IS NULL AND NOT is_active")


def upgrade() -> None:
    """Create the table of clients and its indexes."""
    op.create_table(
        "clients",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column(
            "name_key", sa.String, nullable=False, comment="how names are sorted: shared.text.unique_key"
        ),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column(
            "email_key", sa.String, nullable=False, comment="how e-mails are compared: shared.text.unique_key"
        ),
        sa.Column("phone", sa.String(16)),
        sa.Column("tax_id", sa.String(50)),
        sa.Column("address", sa.String(1000)),
        sa.Column("city", sa.String(200)),
        sa.Column("city_key", sa.String),
        sa.Column("province", sa.String(200)),
        sa.Column("postal_code", sa.String(20)),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column(
            "search",
            TSVECTOR,
            nullable=False,
            comment="words of name, email, phone and city: shared.text.words",
        ),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("name <> '' AND email <> ''", name="clients_required_text"),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name="clients_country_form"),
        sa.CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="clients_phone_form"),
        sa.CheckConstraint("version > 0", name="clients_version_positive"),
    )
    op.create_index("clients_email_unique", "clients", ["email_key"], unique=True, postgresql_where=LIVING)
    op.create_index("clients_by_created_at", "clients", ["created_at", "uuid"], postgresql_where=LIVING)
    op.create_index("clients_by_updated_at", "clients", ["updated_at", "uuid"], postgresql_where=LIVING)
    op.create_index("clients_by_name", "clients", ["name_key", "uuid"], postgresql_where=LIVING)
    op.create_index("clients_by_email", "clients", ["email_key", "uuid"], postgresql_where=LIVING)
    op.create_index("clients_by_city", "clients", ["city_key", "created_at", "uuid"], postgresql_where=LIVING)
    op.create_index(
        "clients_by_country", "clients", ["country", "created_at", "uuid"], postgresql_where=LIVING
    )
    op.create_index("clients_inactive", "clients", ["created_at", "uuid"], postgresql_where=INACTIVE)
    op.create_index("clients_search", "clients", ["search"], postgresql_using="gin", postgresql_where=LIVING)


def downgrade() -> None:
    """Drop the table of clients."""
    op.drop_table("clients")
