"""Users: read on their own, and changed in transactions that reach their sessions and attempts too."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Insert, Select, Update, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from services.auth import constants
from services.auth.config import LifetimeConfig
from services.auth.errors import DuplicateUser
from services.auth.model import LIVING, users
from services.auth.pseudonyms import Pseudonyms
from services.auth.repository.attempts import AttemptWriter
from services.auth.repository.audit import AuditWriter
from services.auth.repository.sessions import SessionWriter
from services.auth.schema import User, UserQuery
from shared.db import Database, Question, Row, WriteConnection
from shared.db_errors import constraint_errors
from shared.events.changes import SYSTEM, ChangeRecorder
from shared.events.metrics import count_committed
from shared.idempotency.attempts import once
from shared.identifiers import new_uuid
from shared.listing import Listing, Picked, fetch_page
from shared.search import begins_words
from shared.sorting import Sorting
from shared.text import clean, unique_key, words

_LIVING = users.c.deleted_at.is_(None)
_PLAIN = [name for name in User.__struct_fields__ if name != "roles"]
_SHOWN = [*(users.c[name] for name in _PLAIN), users.c.role]
_CONSTRAINTS = {"users_email_unique": DuplicateUser}
_ADMINS_LOCK = 1_734_697_582  # any number of our own

_BY_UUID = Question(select(*_SHOWN).where(users.c.uuid == bindparam("uuid"), _LIVING))
_ACCOUNT = select(*_SHOWN, users.c.password_hash)
_ACCOUNT_BY_UUID = Question(_ACCOUNT.where(users.c.uuid == bindparam("uuid"), _LIVING))
_ACCOUNT_BY_EMAIL = Question(_ACCOUNT.where(users.c.email_key == bindparam("email_key"), _LIVING))

SORTING = Sorting(
    {
        "name": users.c.name_key,
        "email": users.c.email_key,
        "created_at": users.c.created_at,
        "updated_at": users.c.updated_at,
    },
    unique=users.c.uuid,
)


class Account(msgspec.Struct, frozen=True):
    """A user with what is never shown."""

    user: User
    password_hash: str


class UserRepository:
    """Reads users, and opens transactions that change them."""

    def __init__(self, database: Database, lifetimes: LifetimeConfig, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._lifetimes = lifetimes
        self._pseudonyms = pseudonyms

    async def find(self, uuid: UUID) -> User | None:
        """Return the living user of this id."""
        row = await self._database.fetch_one(_BY_UUID, uuid=uuid)
        return _user(row) if row else None

    async def find_account(self, uuid: UUID) -> Account | None:
        """Return the living user of this id as the primary knows it."""
        row = await self._database.fetch_one(_ACCOUNT_BY_UUID, primary=True, uuid=uuid)
        return _account(row) if row else None

    async def find_account_by_email(self, email: str) -> Account | None:
        """Return the living user of this e-mail address as the primary knows it."""
        email_key = unique_key(email)
        row = await self._database.fetch_one(_ACCOUNT_BY_EMAIL, primary=True, email_key=email_key)
        return _account(row) if row else None

    async def list(self, query: UserQuery, uuids: list[UUID] | None, tenant: UUID | None) -> Listing[User]:
        """Return a page of the living users that `query` asks for.

        With `tenant`, only those of role user who are confined to it.
        """
        statement = _matching(query, uuids, tenant)
        page = await self._database.read(
            lambda connection: fetch_page(
                connection, statement, query, SORTING, scope=tenant, picked=_picked(query, uuids, tenant)
            )
        )
        return Listing([_user(row) for row in page.items], page.meta)

    @asynccontextmanager
    async def transaction(self, actor: str = SYSTEM) -> AsyncGenerator["UserWriter"]:
        """Open a transaction of `actor`: committed at the end of the block, rolled back on an error."""
        async with self._database.transaction(actor) as connection:
            sessions = SessionWriter(connection, self._lifetimes)
            writer = UserWriter(connection, sessions, AttemptWriter(connection, self._pseudonyms), actor)
            yield writer
        count_committed(writer.changes.recorded)


class UserWriter:
    """Reads and changes users inside one transaction on the primary, and records each change of a user."""

    def __init__(
        self, connection: WriteConnection, sessions: SessionWriter, attempts: AttemptWriter, actor: str
    ) -> None:
        self._connection = connection
        self.changes = ChangeRecorder(connection, "user", actor)
        self.sessions = sessions
        self.attempts = attempts
        self.audit = AuditWriter(connection, actor)

    async def find(self, uuid: UUID) -> Account | None:
        """Return the living user of this id."""
        return await self._found(_ACCOUNT.where(users.c.uuid == uuid, _LIVING))

    async def lock(self, uuid: UUID) -> Account | None:
        """Return the living user of this id, unchanged by others until the transaction ends."""
        living = _ACCOUNT.where(users.c.uuid == uuid, _LIVING)
        return await self._found(living.with_for_update(key_share=True))

    async def add(self, fields: Mapping[str, Any]) -> User:
        """Insert a user, raising DuplicateUser when the e-mail address is taken."""
        return await once(self._connection, lambda: self._insert(fields))

    async def add_if_free(self, fields: Mapping[str, Any]) -> User | None:
        """Insert a user unless a living one has the e-mail address; concurrent calls insert one."""
        statement = insert(users).values(uuid=new_uuid(), **stored_columns(fields))
        free = statement.on_conflict_do_nothing(index_elements=[users.c.email_key], index_where=LIVING)
        row = (await self._connection.execute(free.returning(*_SHOWN))).mappings().one_or_none()
        if row is None:
            return None
        await self.changes.created(_user(row))
        return _user(row)

    async def change(self, account: Account, changes: Mapping[str, Any]) -> User:
        """Change columns of a locked user, raising DuplicateUser when the e-mail address is taken."""
        user = account.user
        current = {
            "email": user.email,
            "name": user.name,
            "role": user.roles[0],
            "client_uuid": user.client_uuid,
            "is_active": user.is_active,
            "password_hash": account.password_hash,
        }
        values = stored_columns({**current, **changes})
        statement = users.update().where(users.c.uuid == user.uuid)
        changed = await self._returned(
            statement.values(updated_at=func.now(), version=users.c.version + 1, **values)
        )
        await self.changes.changed(user, changed)
        if "password_hash" in changes:
            await self.audit.record(constants.PASSWORD_CHANGED, user.uuid)
        return changed

    async def renew_hash(self, uuid: UUID, password_hash: str) -> None:
        """Replace the hash of an unchanged password, which is no change of the user."""
        statement = users.update().where(users.c.uuid == uuid)
        await self._connection.execute(statement.values(password_hash=password_hash))

    async def delete(self, user: User) -> None:
        """Mark a locked user deleted."""
        statement = users.update().where(users.c.uuid == user.uuid)
        await self._connection.execute(
            statement.values(deleted_at=func.now(), updated_at=func.now(), version=users.c.version + 1)
        )
        await self.changes.deleted(user)

    async def end_session(self, session: UUID, reason: str) -> UUID | None:
        """End a session, telling why, and return whose it was; None if it had ended."""
        user = await self.sessions.revoke(session)
        if user:
            await self.audit.record(
                constants.SESSION_ENDED, user, {"session": str(session), "reason": reason}
            )
        return user

    async def end_sessions(self, uuid: UUID, reason: str, keep: UUID | None = None) -> None:
        """End every session of a user, but not `keep`, telling why.

        Of very many some are told, with how many they are: no number of them makes this too slow to do.
        """
        ended = await self.sessions.revoke_all(uuid, keep)
        facts = {"reason": reason, "ended_together": len(ended)}
        told = [{"session": str(each), **facts} for each in ended[: constants.SESSIONS_TOLD]]
        if told:
            await self.audit.record(constants.SESSION_ENDED, uuid, *told)

    async def hold_admins(self) -> None:
        """Let no other transaction take an admin away until this one ends; call it before locking a user."""
        await self._connection.execute(select(func.pg_advisory_xact_lock(_ADMINS_LOCK)))

    async def has_other_admin(self, uuid: UUID) -> bool:
        """Tell whether an active admin besides this user lives."""
        others = exists().where(users.c.role == "admin", users.c.is_active, users.c.uuid != uuid, _LIVING)
        return bool((await self._connection.execute(select(others))).scalar_one())

    async def _found(self, statement: Select[Any]) -> Account | None:
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _account(row) if row else None

    async def _insert(self, fields: Mapping[str, Any]) -> User:
        user = await self._returned(users.insert().values(uuid=new_uuid(), **stored_columns(fields)))
        await self.changes.created(user)
        return user

    async def _returned(self, statement: Insert | Update) -> User:
        with constraint_errors(_CONSTRAINTS):
            return _user((await self._connection.execute(statement.returning(*_SHOWN))).mappings().one())


def stored_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a user whose own fields these are: cleaned, with what is derived from them."""
    name, email = clean(fields["name"]), clean(fields["email"])
    return {
        **fields,
        "name": name,
        "email": email,
        "name_key": unique_key(name),
        "email_key": unique_key(email),
        "search": words(name, email),
    }


def _matching(query: UserQuery, uuids: list[UUID] | None, tenant: UUID | None) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [_LIVING]
    if tenant is not None:
        conditions += [users.c.client_uuid == tenant, users.c.role == "user"]
    if uuids is not None:
        conditions.append(users.c.uuid.in_(uuids))
    if query.q is not None:
        conditions.append(begins_words(users.c.search, query.q))
    if query.email is not None:
        conditions.append(users.c.email_key == unique_key(query.email))
    plain = {
        users.c.role: query.role,
        users.c.client_uuid: query.client_uuid,
        users.c.is_active: query.is_active,
    }
    conditions += [column == value for column, value in plain.items() if value is not None]
    return select(*_SHOWN).where(*conditions)


def _picked(query: UserQuery, uuids: list[UUID] | None, tenant: UUID | None) -> Picked | None:
    """Tell how filters pick these users; None when an index has them in order, be they active or not."""
    filters = (uuids, tenant, query.email, query.role, query.client_uuid)
    if query.q is None and all(each is None for each in filters):
        return None
    return Picked(select(users).where(_LIVING), is_search=query.q is not None)


def _account(row: Row) -> Account:
    return Account(_user(row), row["password_hash"])


def _user(row: Row) -> User:
    return User(roles=[row["role"]], **{name: row[name] for name in _PLAIN})
