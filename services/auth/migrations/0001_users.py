"""Users, their sessions and refresh tokens, and attempts to sign in."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None

LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create the tables and their indexes."""
    _create_users()
    _create_sessions()
    _create_refresh_tokens()
    _create_sign_in_attempts()


def downgrade() -> None:
    """Drop the tables."""
    for name in ("sign_in_attempts", "refresh_tokens", "sessions", "users"):
        op.drop_table(name)


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column(
            "email_key", sa.String, nullable=False, comment="how e-mails are compared: shared.text.unique_key"
        ),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column(
            "name_key", sa.String, nullable=False, comment="how names are sorted: shared.text.unique_key"
        ),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("client_uuid", sa.Uuid, comment="the tenant this user is confined to"),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("password_hash", sa.String, nullable=False, comment="argon2id, in the PHC string format"),
        sa.Column("search", TSVECTOR, nullable=False, comment="words of name and email: shared.text.words"),
        sa.Column("version", sa.BigInteger, nullable=False, server_default=sa.text("1")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("name <> '' AND email <> ''", name="users_required_text"),
        sa.CheckConstraint("role IN ('admin', 'manager', 'user')", name="users_role_known"),
        sa.CheckConstraint("role <> 'admin' OR client_uuid IS NULL", name="users_admin_without_tenant"),
        sa.CheckConstraint("version > 0", name="users_version_positive"),
    )
    op.create_index("users_email_unique", "users", ["email_key"], unique=True, postgresql_where=LIVING)
    op.create_index("users_by_created_at", "users", ["created_at", "uuid"], postgresql_where=LIVING)
    op.create_index("users_by_updated_at", "users", ["updated_at", "uuid"], postgresql_where=LIVING)
    op.create_index("users_by_name", "users", ["name_key", "uuid"], postgresql_where=LIVING)
    op.create_index("users_by_email", "users", ["email_key", "uuid"], postgresql_where=LIVING)
    op.create_index(
        "users_by_tenant", "users", ["client_uuid", "created_at", "uuid"], postgresql_where=LIVING
    )
    op.create_index("users_by_role", "users", ["role", "created_at", "uuid"], postgresql_where=LIVING)
    op.create_index("users_search", "users", ["search"], postgresql_using="gin", postgresql_where=LIVING)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("user_uuid", sa.Uuid, sa.ForeignKey("users.uuid"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        comment="families of refresh tokens, one a sign-in",
    )
    living, revoked = sa.text("revoked_at IS NULL"), sa.text("revoked_at IS NOT NULL")
    op.create_index("sessions_by_user", "sessions", ["user_uuid"], postgresql_where=living)
    op.create_index("sessions_by_expires_at", "sessions", ["expires_at"])
    op.create_index("sessions_revoked", "sessions", ["revoked_at"], postgresql_where=revoked)


def _create_refresh_tokens() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column(
            "digest",
            sa.LargeBinary,
            primary_key=True,
            comment="SHA-256 of the token, which is stored nowhere",
        ),
        sa.Column(
            "session_uuid", sa.Uuid, sa.ForeignKey("sessions.uuid", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("generation", sa.Integer, nullable=False, comment="1 for the first token of a session"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("octet_length(digest) = 32", name="refresh_tokens_digest_length"),
        sa.UniqueConstraint("session_uuid", "generation", name="refresh_tokens_generation_unique"),
    )
    op.create_index("refresh_tokens_by_expires_at", "refresh_tokens", ["expires_at"])


def _create_sign_in_attempts() -> None:
    op.create_table(
        "sign_in_attempts",
        sa.Column("account", sa.LargeBinary, primary_key=True, comment="SHA-256 of the e-mail's unique_key"),
        sa.Column(
            "attempts",
            sa.Integer,
            nullable=False,
            comment="since the window began; a success deletes the row",
        ),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("octet_length(account) = 32", name="sign_in_attempts_account_length"),
        sa.CheckConstraint("attempts > 0", name="sign_in_attempts_positive"),
    )
    op.create_index("sign_in_attempts_by_window", "sign_in_attempts", ["window_started_at"])
