"""Sessions: families of refresh tokens, each of which is used once. All times are the database's."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
from sqlalchemy import Integer, delete, extract, func, literal, select, update

from services.auth.config import LifetimeConfig
from services.auth.model import refresh_tokens as tokens
from services.auth.model import sessions, users
from shared.db import WriteConnection
from shared.identifiers import new_uuid

_TOKEN_BYTES = 32
_MOST_TOKENS_PURGED = 50
_MOST_SESSIONS_PURGED = 5
_KEPT_AFTER_END = timedelta(hours=1)  # so that no purge meets a request that still saw the session alive

_SESSION_LIVES = (sessions.c.revoked_at.is_(None)) & (sessions.c.expires_at > func.now())


class Session(msgspec.Struct, frozen=True):
    """A living session whose newest refresh token was just claimed."""

    uuid: UUID
    user_uuid: UUID
    generation: int


class UsedToken(msgspec.Struct, frozen=True):
    """A refresh token of a living session that was claimed before."""

    session_uuid: UUID
    seconds_ago: float
    precedes_newest: bool


class SessionWriter:
    """Opens, renews and ends sessions inside one transaction."""

    def __init__(self, connection: WriteConnection, lifetimes: LifetimeConfig) -> None:
        self._connection = connection
        self._session_life = timedelta(seconds=lifetimes.session_seconds)
        self._token_life = timedelta(seconds=lifetimes.refresh_token_seconds)

    async def open(self, user_uuid: UUID) -> tuple[UUID, str]:
        """Begin a session and return its id with its first refresh token."""
        uuid = new_uuid()
        await self._connection.execute(
            sessions.insert().values(
                uuid=uuid, user_uuid=user_uuid, expires_at=func.now() + self._session_life
            )
        )
        await self._purge_sessions()
        return uuid, await self.renew(Session(uuid, user_uuid, generation=0))

    async def claim(self, token: str) -> Session | None:
        """Use up a refresh token and return its session.

        None when it is unknown, used or expired, its session has ended, or its user is not active. One
        conditional statement decides, so that one of many at once gets it.
        """
        claimed = (
            update(tokens)
            .where(
                tokens.c.digest == _digest(token),
                tokens.c.used_at.is_(None),
                tokens.c.expires_at > func.now(),
                sessions.c.uuid == tokens.c.session_uuid,
                _SESSION_LIVES,
                users.c.uuid == sessions.c.user_uuid,
                users.c.is_active,
                users.c.deleted_at.is_(None),
            )
            .values(used_at=func.now())
            .returning(sessions.c.uuid, sessions.c.user_uuid, tokens.c.generation)
        )
        row = (await self._connection.execute(claimed)).one_or_none()
        return Session(*row) if row else None

    async def renew(self, session: Session) -> str:
        """Return the next refresh token of a session."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        expires_at = func.least(func.now() + self._token_life, sessions.c.expires_at)
        generation = literal(session.generation + 1, Integer)
        columns = ["digest", "session_uuid", "generation", "expires_at"]
        values = select(literal(_digest(token)), sessions.c.uuid, generation, expires_at)
        await self._connection.execute(
            tokens.insert().from_select(columns, values.where(sessions.c.uuid == session.uuid))
        )
        await self._purge_tokens()
        return token

    async def find_used(self, token: str) -> UsedToken | None:
        """Return a used, unexpired token of a living session."""
        later = tokens.alias()
        newer = select(later.c.digest).where(
            later.c.session_uuid == tokens.c.session_uuid, later.c.generation > tokens.c.generation + 1
        )
        statement = select(
            tokens.c.session_uuid, extract("epoch", func.now() - tokens.c.used_at), ~newer.exists()
        ).where(
            tokens.c.digest == _digest(token),
            tokens.c.used_at.is_not(None),
            tokens.c.expires_at > func.now(),
            sessions.c.uuid == tokens.c.session_uuid,
            _SESSION_LIVES,
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return UsedToken(row[0], float(row[1]), row[2]) if row else None

    async def revoke(self, uuid: UUID) -> UUID | None:
        """End a session and return whose it was; None if it had ended."""
        living = update(sessions).where(sessions.c.uuid == uuid, sessions.c.revoked_at.is_(None))
        ended = living.values(revoked_at=func.now()).returning(sessions.c.user_uuid)
        return (await self._connection.execute(ended)).scalar_one_or_none()

    async def revoke_all(self, user_uuid: UUID, keep: UUID | None = None) -> Sequence[UUID]:
        """End every session of a user, but not `keep`, and return those that were ended."""
        statement = update(sessions).where(sessions.c.user_uuid == user_uuid, sessions.c.revoked_at.is_(None))
        if keep is not None:
            statement = statement.where(sessions.c.uuid != keep)
        ended = statement.values(revoked_at=func.now()).returning(sessions.c.uuid)
        return (await self._connection.execute(ended)).scalars().all()

    async def _purge_sessions(self) -> None:
        """Delete a few sessions that ended, and their tokens: more than are opened, so that none pile up."""
        ended_before = func.now() - _KEPT_AFTER_END
        expired = select(sessions.c.uuid).where(sessions.c.expires_at <= ended_before)
        revoked = select(sessions.c.uuid).where(sessions.c.revoked_at <= ended_before)
        for ended in (expired.order_by(sessions.c.expires_at), revoked.order_by(sessions.c.revoked_at)):
            some = ended.limit(_MOST_SESSIONS_PURGED).with_for_update(skip_locked=True)
            await self._connection.execute(delete(sessions).where(sessions.c.uuid.in_(some)))

    async def _purge_tokens(self) -> None:
        expired = select(tokens.c.digest).where(tokens.c.expires_at <= func.now())
        some = expired.order_by(tokens.c.expires_at).limit(_MOST_TOKENS_PURGED)
        await self._connection.execute(
            delete(tokens).where(tokens.c.digest.in_(some.with_for_update(skip_locked=True)))
        )


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
