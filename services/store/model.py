"""Tables of the store service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Index,
    LargeBinary,
    MetaData,
    Sequence,
    String,
    Table,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.bulk.tables import import_tables
from shared.events.tables import event_tables
from shared.idempotency.tables import idempotency_table
from shared.schedules.tables import schedule_tables
from shared.search import SearchWords

metadata = MetaData()
event_tables(metadata)
idempotency_table(metadata)
import_tables(metadata)

LIVING = text("deleted_at IS NULL")

stores = Table(
    "stores",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("client_uuid", Uuid, nullable=False, comment="the client service decides whether it exists"),
    Column("code", String(50), nullable=False),
    Column("code_key", String, nullable=False, comment="how codes are compared: shared.text.unique_key"),
    Column("name", String(200), nullable=False),
    Column("name_key", String, nullable=False, comment="how names are sorted: shared.text.unique_key"),
    Column("phone", String(16)),
    Column("email", String(254)),
    Column("address", String(1000)),
    Column("city", String(200)),
    Column("city_key", String, comment="how cities are compared: shared.text.unique_key"),
    Column("province", String(200)),
    Column("postal_code", String(20)),
    Column("country", String(2), nullable=False),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("timezone", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column(
        "schedule_digest",
        LargeBinary,
        comment="equal where what stores have of their own schedules is; null where they have nothing",
    ),
    Column("search", SearchWords, nullable=False, comment="words of name, code and city: shared.text.words"),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("deleted_at", DateTime(timezone=True)),
    CheckConstraint("code <> '' AND name <> '' AND timezone <> ''", name="stores_required_text"),
    CheckConstraint("country ~ '^[A-Z]{2}$'", name="stores_country_form"),
    CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="stores_phone_form"),
    CheckConstraint("email ~ '^[^@]+@[^@]+$'", name="stores_email_form"),
    CheckConstraint("latitude BETWEEN -90 AND 90", name="stores_latitude_range"),
    CheckConstraint("longitude BETWEEN -180 AND 180", name="stores_longitude_range"),
    CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="stores_coordinates_whole"),
    CheckConstraint("octet_length(schedule_digest) = 16", name="stores_schedule_digest_length"),
    CheckConstraint("version > 0", name="stores_version_positive"),
    Index("stores_code_unique", "client_uuid", "code_key", unique=True, postgresql_where=LIVING),
    # All stores, in each order.
    Index("stores_by_created_at", "created_at", "uuid", postgresql_where=LIVING),
    Index("stores_by_updated_at", "updated_at", "uuid", postgresql_where=LIVING),
    Index("stores_by_name", "name_key", "uuid", postgresql_where=LIVING),
    Index("stores_by_code", "code_key", "uuid", postgresql_where=LIVING),
    # The stores of one client, in each order; by code it is the unique index.
    Index("stores_of_client_by_created_at", "client_uuid", "created_at", "uuid", postgresql_where=LIVING),
    Index("stores_of_client_by_updated_at", "client_uuid", "updated_at", "uuid", postgresql_where=LIVING),
    Index("stores_of_client_by_name", "client_uuid", "name_key", "uuid", postgresql_where=LIVING),
    # What the other filters pick, newest first.
    Index("stores_by_city", "city_key", "created_at", "uuid", postgresql_where=LIVING),
    Index("stores_by_country", "country", "created_at", "uuid", postgresql_where=LIVING),
    Index("stores_by_is_active", "is_active", "created_at", "uuid", postgresql_where=LIVING),
    Index("stores_search", "search", postgresql_using="gin", postgresql_where=LIVING),
    Index(
        "stores_by_place",
        text("point(longitude, latitude)"),
        postgresql_using="gist",
        postgresql_where=LIVING,
    ),
    # The distinct schedules: what a store has of its own, and whose it inherits, in which time zone.
    Index("stores_by_schedule", "schedule_digest", "client_uuid", "timezone", postgresql_where=LIVING),
)

PLACE = func.point(stores.c.longitude, stores.c.latitude)
"""Where a store is, as its index has it."""

schedules = schedule_tables(metadata, "stores")

clients = Table(
    "clients",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254), nullable=False),
    Column("phone", String(16)),
    Column("country", String(2), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("version", BigInteger, nullable=False, comment="the client's own; older news is no news"),
    Column("deleted_at", DateTime(timezone=True)),
    comment="what reads need of clients, at most a moment behind the client service",
)

client_hours = Table(
    "client_hours",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("client_uuid", Uuid, nullable=False),
    Column("kind", String(50), nullable=False, comment="shared.schedules.known.PartKind"),
    Column("version", BigInteger, nullable=False, comment="the part's own; older news is no news"),
    Column("shown", JSONB(none_as_null=True), comment="as the client service shows it; null when it ended"),
    CheckConstraint("version > 0", name="client_hours_version_positive"),
    CheckConstraint(
        "kind IN ('workhour', 'workhour_exception', 'workhour_pause')", name="client_hours_kind_known"
    ),
    Index("client_hours_of_client", "client_uuid", postgresql_where=text("shown IS NOT NULL")),
    comment="what reads need of clients' schedules, at most a moment behind the client service",
)

client_fences = Table(
    "client_fences",
    metadata,
    Column("client_uuid", Uuid, primary_key=True),
    Column("number", BigInteger, nullable=False, comment="of the latest attempt to delete the client"),
    Column("is_set", Boolean, nullable=False, comment="whether no store of the client can be created"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    comment="where the creation of stores meets the deletion of their client",
)

cache_epoch = Sequence("cache_epoch", start=1, metadata=metadata)
