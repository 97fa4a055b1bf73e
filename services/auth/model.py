"""Tables of the auth service."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.events.tables import event_tables
from shared.idempotency.tables import idempotency_table
from shared.search import SearchWords

metadata = MetaData()
event_tables(metadata)
idempotency_table(metadata)

_changes = metadata.tables["changes"].c
Index("changes_by_actor", _changes.actor, _changes.occurred_at, _changes.id)
Index("changes_by_type", _changes.type, _changes.occurred_at, _changes.id)
Index("changes_by_instant", _changes.occurred_at, _changes.id)

LIVING = text("deleted_at IS NULL")

users = Table(
    "users",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String, nullable=False, comment="how e-mails are compared: shared.text.unique_key"),
    Column("name", String(200), nullable=False),
    Column("name_key", String, nullable=False, comment="how names are sorted: shared.text.unique_key"),
    Column("role", String(20), nullable=False),
    Column("client_uuid", Uuid, comment="the tenant this user is confined to"),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("password_hash", String, nullable=False, comment="argon2id, in the PHC string format"),
    Column("search", SearchWords, nullable=False, comment="words of name and email: shared.text.words"),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("deleted_at", DateTime(timezone=True)),
    CheckConstraint("name <> '' AND email <> ''", name="users_required_text"),
    CheckConstraint("role IN ('admin', 'manager', 'user')", name="users_role_known"),
    CheckConstraint("role <> 'admin' OR client_uuid IS NULL", name="users_admin_without_tenant"),
    CheckConstraint("version > 0", name="users_version_positive"),
    Index("users_email_unique", "email_key", unique=True, postgresql_where=LIVING),
    Index("users_by_created_at", "created_at", "uuid", postgresql_where=LIVING),
    Index("users_by_updated_at", "updated_at", "uuid", postgresql_where=LIVING),
    Index("users_by_name", "name_key", "uuid", postgresql_where=LIVING),
    Index("users_by_email", "email_key", "uuid", postgresql_where=LIVING),
    Index("users_by_tenant", "client_uuid", "created_at", "uuid", postgresql_where=LIVING),
    Index("users_by_role", "role", "created_at", "uuid", postgresql_where=LIVING),
    Index("users_search", "search", postgresql_using="gin", postgresql_where=LIVING),
)

sessions = Table(
    "sessions",
    metadata,
    Column("uuid", Uuid, primary_key=True),
    Column("user_uuid", Uuid, ForeignKey("users.uuid"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Index("sessions_by_user", "user_uuid", postgresql_where=text("revoked_at IS NULL")),
    Index("sessions_by_expires_at", "expires_at"),
    Index("sessions_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    comment="families of refresh tokens, one a sign-in",
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True, comment="SHA-256 of the token, which is stored nowhere"),
    Column("session_uuid", Uuid, ForeignKey("sessions.uuid", ondelete="CASCADE"), nullable=False),
    Column("generation", Integer, nullable=False, comment="1 for the first token of a session"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(digest) = 32", name="refresh_tokens_digest_length"),
    UniqueConstraint("session_uuid", "generation", name="refresh_tokens_generation_unique"),
    Index("refresh_tokens_by_expires_at", "expires_at"),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column(
        "account",
        LargeBinary,
        primary_key=True,
        comment="keyed hash of the e-mail's unique_key: services.auth.pseudonyms",
    ),
    Column("attempts", Integer, nullable=False, comment="since the window began; a success deletes the row"),
    Column("window_started_at", DateTime(timezone=True), nullable=False),
    Column("last_attempt_at", DateTime(timezone=True), nullable=False),
    Column(
        "refused",
        Integer,
        nullable=False,
        server_default=text("0"),
        comment="attempts that were not admitted, since the window began",
    ),
    CheckConstraint("octet_length(account) = 32", name="sign_in_attempts_account_length"),
    CheckConstraint("attempts > 0", name="sign_in_attempts_positive"),
    CheckConstraint("refused >= 0", name="sign_in_attempts_refused_not_negative"),
    Index("sign_in_attempts_by_window", "window_started_at"),
)

audit_counts = Table(
    "audit_counts",
    metadata,
    Column("kind", String(200), primary_key=True),
    Column("number", BigInteger, nullable=False, comment="since the window began"),
    Column("window_started_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("number > 0", name="audit_counts_positive"),
    comment="how often what outsiders can cause has happened, told in the audit or not",
)
