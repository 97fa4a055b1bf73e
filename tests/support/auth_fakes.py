"""Stand-ins for what the use cases of auth need, in memory. A transaction that raises changes nothing."""

import copy
import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from services.auth.errors import DuplicateUser
from services.auth.passwords import Passwords
from services.auth.pseudonyms import Pseudonyms
from services.auth.repository.attempts import Attempt, AttemptRepository, AttemptWriter
from services.auth.repository.audit import AuditWriter
from services.auth.repository.outside_events import Bound, OutsideEvent, OutsideEvents
from services.auth.repository.sessions import Session, SessionWriter, UsedToken
from services.auth.repository.users import Account, UserRepository, UserWriter
from services.auth.schema import Role, User, UserQuery
from services.auth.usecase.attempts import PasswordAttempts
from shared.config import Secret
from shared.events.changes import SYSTEM
from shared.identifiers import new_uuid
from shared.listing import Listing
from shared.responses import Meta
from shared.text import unique_key
from tests.support.tokens import SECRET

PSEUDONYMS = Pseudonyms(Secret(SECRET))

_WHEN = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class Family:
    """A session: its tokens in order, the last one unused."""

    user_uuid: UUID
    tokens: list[str]
    is_revoked: bool = False
    last_used_seconds_ago: float = 0.0


@dataclass
class State:
    """All that is stored."""

    accounts: dict[UUID, Account] = field(default_factory=dict[UUID, Account])
    families: dict[UUID, Family] = field(default_factory=dict[UUID, Family])
    failures: dict[str, int] = field(default_factory=dict[str, int])
    events: list[tuple[str, UUID, str]] = field(default_factory=list[tuple[str, UUID, str]])
    facts: list[Mapping[str, str | int]] = field(default_factory=list[Mapping[str, str | int]])


class FakePasswords(Passwords):
    """Hashes by adding a word in front, and counts how often a password is checked."""

    def __init__(self) -> None:
        self.checks = 0

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def matches(self, password: str, password_hash: str | None) -> bool:
        self.checks += 1
        return password_hash in {f"hash of {password}", f"old hash of {password}"}

    def is_outdated(self, password_hash: str) -> bool:
        return password_hash.startswith("old ")


class FakeUsers(UserRepository):
    """Users, sessions and attempts in memory."""

    def __init__(self) -> None:
        self.state = State()
        self.actors: list[str] = []

    def put(self, role: Role = "user", client_uuid: UUID | None = None, **fields: object) -> User:
        """Store a user whose password is `password`."""
        uuid = new_uuid()
        user = User(
            uuid=uuid,
            email=f"{uuid}@example.com",
            name="Sri",
            roles=[role],
            client_uuid=client_uuid,
            is_active=True,
            version=1,
            created_at=_WHEN,
            updated_at=_WHEN,
        )
        self.state.accounts[uuid] = Account(replace(user, **fields), "hash of password")
        return self.state.accounts[uuid].user

    def deactivate(self, user: User) -> None:
        account = self.state.accounts[user.uuid]
        self.state.accounts[user.uuid] = replace(account, user=replace(account.user, is_active=False))

    def open_session(self, user: User, *tokens: str) -> UUID:
        """Store a session with these refresh tokens, oldest first."""
        uuid = new_uuid()
        self.state.families[uuid] = Family(user.uuid, list(tokens))
        return uuid

    def is_revoked(self, session: UUID) -> bool:
        return self.state.families[session].is_revoked

    async def find(self, uuid: UUID) -> User | None:
        account = self.state.accounts.get(uuid)
        return account.user if account else None

    async def find_account(self, uuid: UUID) -> Account | None:
        return self.state.accounts.get(uuid)

    async def find_account_by_email(self, email: str) -> Account | None:
        return _find_by_email(self.state, email)

    async def list(self, query: UserQuery, uuids: list[UUID] | None, tenant: UUID | None) -> Listing[User]:
        del uuids
        found = [
            account.user
            for account in self.state.accounts.values()
            if tenant is None or (account.user.client_uuid == tenant and account.user.roles == ["user"])
        ]
        return Listing(found, Meta(limit=query.limit, total=len(found), total_pages=1, next_cursor=None))

    @asynccontextmanager
    async def transaction(self, actor: str = SYSTEM) -> AsyncGenerator["FakeUserWriter"]:
        self.actors.append(actor)
        before = copy.deepcopy(self.state)
        try:
            yield FakeUserWriter(self.state, actor)
        except BaseException:
            self.state = before
            raise


class FakeUserWriter(UserWriter):
    def __init__(self, state: State, actor: str) -> None:
        self._state = state
        self.sessions = FakeSessions(state)
        self.attempts = FakeAttemptWriter(state)
        self.audit = FakeAudit(state, actor)

    async def find(self, uuid: UUID) -> Account | None:
        return self._state.accounts.get(uuid)

    async def lock(self, uuid: UUID) -> Account | None:
        return await self.find(uuid)

    async def add(self, fields: Mapping[str, Any]) -> User:
        added = await self.add_if_free(fields)
        if added is None:
            raise DuplicateUser
        return added

    async def add_if_free(self, fields: Mapping[str, Any]) -> User | None:
        if _find_by_email(self._state, fields["email"]):
            return None
        shown = {name: fields[name] for name in ("email", "name", "client_uuid", "is_active")}
        user = User(
            uuid=new_uuid(), roles=[fields["role"]], version=1, created_at=_WHEN, updated_at=_WHEN, **shown
        )
        self._state.accounts[user.uuid] = Account(user, fields["password_hash"])
        return user

    async def change(self, account: Account, changes: Mapping[str, Any]) -> User:
        shown = dict(changes)
        password_hash = shown.pop("password_hash", account.password_hash)
        if "role" in shown:
            shown["roles"] = [shown.pop("role")]
        user = replace(account.user, version=account.user.version + 1, **shown)
        self._state.accounts[user.uuid] = Account(user, password_hash)
        return user

    async def renew_hash(self, uuid: UUID, password_hash: str) -> None:
        self._state.accounts[uuid] = replace(self._state.accounts[uuid], password_hash=password_hash)

    async def delete(self, user: User) -> None:
        del self._state.accounts[user.uuid]

    async def hold_admins(self) -> None:
        pass

    async def has_other_admin(self, uuid: UUID) -> bool:
        others = (account.user for account in self._state.accounts.values() if account.user.uuid != uuid)
        return any(user.roles == ["admin"] and user.is_active for user in others)


class FakeSessions(SessionWriter):
    def __init__(self, state: State) -> None:
        self._state = state
        self._numbers = itertools.count(1)

    async def open(self, user_uuid: UUID) -> tuple[UUID, str]:
        uuid = new_uuid()
        self._state.families[uuid] = Family(user_uuid, ["first token"])
        return uuid, "first token"

    async def claim(self, token: str) -> Session | None:
        for uuid, family in self._state.families.items():
            account = self._state.accounts.get(family.user_uuid)
            if family.tokens[-1] == token and not family.is_revoked and account and account.user.is_active:
                return Session(uuid, family.user_uuid, len(family.tokens))
        return None

    async def renew(self, session: Session) -> str:
        token = f"token {session.generation + 1}"
        self._state.families[session.uuid].tokens.append(token)
        return token

    async def find_used(self, token: str) -> UsedToken | None:
        for uuid, family in self._state.families.items():
            if token in family.tokens[:-1] and not family.is_revoked:
                return UsedToken(uuid, family.last_used_seconds_ago, token == family.tokens[-2])
        return None

    async def revoke(self, uuid: UUID) -> UUID | None:
        family = self._state.families[uuid]
        was_revoked, family.is_revoked = family.is_revoked, True
        return None if was_revoked else family.user_uuid

    async def revoke_all(self, user_uuid: UUID, keep: UUID | None = None) -> list[UUID]:
        theirs = {uuid: each for uuid, each in self._state.families.items() if each.user_uuid == user_uuid}
        ended = [uuid for uuid, each in theirs.items() if uuid != keep and not each.is_revoked]
        for uuid in ended:
            theirs[uuid].is_revoked = True
        return ended


class FakeAudit(AuditWriter):
    """Keeps type, subject and actor in the state, and the facts beside them."""

    def __init__(self, state: State, actor: str) -> None:
        self._state = state
        self._actor = actor

    async def record(self, type_: str, subject: UUID, *facts: Mapping[str, str | int]) -> None:
        for each in facts or ({},):
            self._state.events.append((type_, subject, self._actor))
            self._state.facts.append(each)


class FakeEvents(OutsideEvents):
    """Keeps what it is told, whatever the bound."""

    def __init__(self) -> None:
        self.told: list[OutsideEvent] = []
        self.bounds: list[Bound] = []

    async def record(self, event: OutsideEvent, bound: Bound) -> None:
        self.told.append(event)
        self.bounds.append(bound)


class FakeAttempts(AttemptRepository):
    """Counts in the state of the users, and tells everyone to wait when told to."""

    def __init__(self, users: FakeUsers) -> None:
        self._users = users
        self.seconds_to_wait = 0
        self.refused = 0

    async def claim(self, email: str) -> Attempt:
        if self.seconds_to_wait:
            self.refused += 1
            return Attempt(self.refused, self.seconds_to_wait)
        failures = self._users.state.failures
        failures[email] = failures.get(email, 0) + 1
        return Attempt(failures[email])


def password_attempts(attempts: FakeAttempts, events: FakeEvents | None = None) -> PasswordAttempts:
    """Return the rules of attempts over stand-ins."""
    return PasswordAttempts(attempts, events or FakeEvents(), PSEUDONYMS)


class FakeAttemptWriter(AttemptWriter):
    def __init__(self, state: State) -> None:
        self._state = state

    async def clear(self, email: str) -> None:
        self._state.failures.pop(email, None)


def _find_by_email(state: State, email: str) -> Account | None:
    same = (each for each in state.accounts.values() if unique_key(each.user.email) == unique_key(email))
    return next(same, None)
