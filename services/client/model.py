"""Tables of the client service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    MetaData,
    Sequence,
    String,
    Table,
    Text,
    Uuid,
    text,
)

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

clients = Table(
    "clients",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_key", String, nullable=False, comment="how names are sorted: shared.text.unique_key"),
    Column("email", String(254), nullable=False),
    Column("email_key", String, nullable=False, comment="how e-mails are compared: shared.text.unique_key"),
    Column("phone", String(16)),
    Column("tax_id", String(50)),
    Column("address", String(1000)),
    Column("city", String(200)),
    Column("city_key", String),
    Column("province", String(200)),
    Column("postal_code", String(20)),
    Column("country", String(2), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column(
        "search",
        SearchWords,
        nullable=False,
        comment="words of name, email, phone and city: shared.text.words",
    ),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("deleted_at", DateTime(timezone=True)),
    CheckConstraint("name <> '' AND email <> ''", name="clients_required_text"),
    CheckConstraint("country ~ '^[A-Z]{2}$'", name="clients_country_form"),
    CheckConstraint(r"phone ~ '^\+[1-9][0-9]{6,14}$'", name="clients_phone_form"),
    CheckConstraint("version > 0", name="clients_version_positive"),
    Index("clients_email_unique", "email_key", unique=True, postgresql_where=LIVING),
    Index("clients_by_created_at", "created_at", "uuid", postgresql_where=LIVING),
    Index("clients_by_updated_at", "updated_at", "uuid", postgresql_where=LIVING),
    Index("clients_by_name", "name_key", "uuid", postgresql_where=LIVING),
    Index("clients_by_email", "email_key", "uuid", postgresql_where=LIVING),
    Index("clients_by_city", "city_key", "created_at", "uuid", postgresql_where=LIVING),
    Index("clients_by_country", "country", "created_at", "uuid", postgresql_where=LIVING),
    Index("clients_by_is_active", "is_active", "created_at", "uuid", postgresql_where=LIVING),
    Index("clients_search", "search", postgresql_using="gin", postgresql_where=LIVING),
)

schedules = schedule_tables(metadata, "clients")

deletions = Table(
    "deletions",
    metadata,
    Column("client_uuid", Uuid, primary_key=True),
    Column(
        "number",
        BigInteger,
        Identity(),
        nullable=False,
        comment="grows with each attempt; orders what the store service is told",
    ),
    Column("cascade", Boolean, nullable=False, comment="whether the client's stores end too"),
    Column("actor", Text, nullable=False, comment="the subject of the caller's token"),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column(
        "undone",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="given up; the fence is still to be lifted",
    ),
    comment="intentions to delete a client that are neither carried out nor taken back",
)

cache_epoch = Sequence("cache_epoch", start=1, metadata=metadata)
