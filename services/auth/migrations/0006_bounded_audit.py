"""Failed sign-ins and services' tokens are told in the audit, as often as their counts allow."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

PLAIN = "SHA-256 of the e-mail's unique_key"
KEYED = "keyed hash of the e-mail's unique_key: services.auth.pseudonyms"


def upgrade() -> None:
    """Count what is refused of an account, and each kind of event; forget accounts by their plain hashes."""
    op.execute("DELETE FROM sign_in_attempts")
    op.add_column(
        "sign_in_attempts",
        sa.Column(
            "refused",
            sa.Integer,
            nullable=False,
            server_default=sa.text("0"),
            comment="attempts that were not admitted, since the window began",
        ),
    )
    op.create_check_constraint("sign_in_attempts_refused_not_negative", "sign_in_attempts", "refused >= 0")
    op.alter_column("sign_in_attempts", "account", comment=KEYED, existing_comment=PLAIN)
    op.create_table(
        "audit_counts",
        sa.Column("kind", sa.String(200), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, comment="since the window began"),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name="audit_counts_positive"),
        comment="how often what outsiders can cause has happened, told in the audit or not",
    )


def downgrade() -> None:
    """Undo it; accounts that were slowed begin anew."""
    op.drop_table("audit_counts")
    op.execute("DELETE FROM sign_in_attempts")
    op.alter_column("sign_in_attempts", "account", comment=PLAIN, existing_comment=KEYED)
    op.drop_constraint("sign_in_attempts_refused_not_negative", "sign_in_attempts")
    op.drop_column("sign_in_attempts", "refused")
