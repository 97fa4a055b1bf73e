"""Stores."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None

LIVING = sa.text("deleted_at IS NULL")
INACTIVE = sa.text("deleted_at IS NULL AND NOT is_active")


def upgrade() -> None:
    """Create the table of stores and its indexes."""
    op.create_table(
        "stores",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column(
            "client_uuid", sa.Uuid, nullable=False, comment="the client service decides whether it exists"
        ),
        sa.Column("code", sa.String(50), nullable=False),
        sa.Column(
            "code_key", sa.String, nullable=False, comment="how codes are compared: shared.text.unique_key"
        ),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column(
            "name_key", sa.String, nullable=False, comment="how names are sorted: shared.text.unique_key"
        ),
        sa.Column("phone", sa.String(16)),
        sa.Column("email", sa.String(254)),
        sa.Column("address", sa.String(1000)),
        sa.Column("city", sa.String(200)),
        sa.Column("city_key", sa.String, comment="how cities are compared: shared.text.unique_key"),
        sa.Column("province", sa.String(200)),
        sa.Column("postal_code", sa.String(20)),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column(
            "search", TSVECTOR, nullable=False, comment="words of name, code and city: shared.text.words"
        ),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("code <> '' AND name <> '' AND timezone <> ''", name="stores_required_text"),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name="stores_country_form"),
        sa.CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="stores_phone_form"),
        sa.CheckConstraint("email ~ '^[^@]+@[^@]+$'", name="stores_email_form"),
        sa.CheckConstraint("latitude BETWEEN -90 AND 90", name="stores_latitude_range"),
        sa.CheckConstraint("longitude BETWEEN -180 AND 180", name="stores_longitude_range"),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="stores_coordinates_whole"),
        sa.CheckConstraint("version > 0", name="stores_version_positive"),
    )
    _create_index("stores_code_unique", "client_uuid", "code_key", unique=True)
    _create_index("stores_by_created_at", "created_at", "uuid")
    _create_index("stores_by_updated_at", "updated_at", "uuid")
    _create_index("stores_by_name", "name_key", "uuid")
    _create_index("stores_by_code", "code_key", "uuid")
    _create_index("stores_of_client_by_created_at", "client_uuid", "created_at", "uuid")
    _create_index("stores_of_client_by_updated_at", "client_uuid", "updated_at", "uuid")
    _create_index("stores_of_client_by_name", "client_uuid", "name_key", "uuid")
    _create_index("stores_by_city", "city_key", "created_at", "uuid")
    _create_index("stores_by_country", "country", "created_at", "uuid")
    op.create_index("stores_inactive", "stores", ["created_at", "uuid"], postgresql_where=INACTIVE)
    op.create_index("stores_search", "stores", ["search"], postgresql_using="gin", postgresql_where=LIVING)


def downgrade() -> None:
    """Drop the table of stores."""
    op.drop_table("stores")


def _create_index(name: str, *columns: str, unique: bool = False) -> None:
    op.create_index(name, "stores", list(columns), unique=unique, postgresql_where=LIVING)
