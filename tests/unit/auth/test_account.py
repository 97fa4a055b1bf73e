from uuid import UUID

import pytest

from services.auth.errors import SignInSlowed
from services.auth.schema import ChangeMe, ChangePassword, User
from services.auth.usecase.account import OwnAccount
from shared.errors import Forbidden, InvalidInput, Unauthenticated
from shared.security.principal import Principal
from tests.support.auth_fakes import FakeAttempts, FakeEvents, FakePasswords, FakeUsers, password_attempts


@pytest.fixture
def users() -> FakeUsers:
    return FakeUsers()


@pytest.fixture
def attempts(users: FakeUsers) -> FakeAttempts:
    return FakeAttempts(users)


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture
def account(users: FakeUsers, attempts: FakeAttempts, events: FakeEvents) -> OwnAccount:
    return OwnAccount(users, password_attempts(attempts, events), FakePasswords())


def caller(user: User, session: UUID | None = None) -> Principal:
    return Principal(str(user.uuid), user.roles[0], user.client_uuid, session)


def change(current: str, new: str) -> ChangePassword:
    return ChangePassword(current_password=current, new_password=new)


async def test_people_read_and_rename_themselves(users: FakeUsers, account: OwnAccount) -> None:
    user = users.put()
    assert await account.read(caller(user)) == user
    assert (await account.change(caller(user), ChangeMe(name="Sri W"))).name == "Sri W"


async def test_an_empty_patch_changes_nothing(users: FakeUsers, account: OwnAccount) -> None:
    user = users.put()
    assert await account.change(caller(user), ChangeMe()) == user


async def test_accounts_that_ended_are_refused(users: FakeUsers, account: OwnAccount) -> None:
    for principal in [
        caller(users.put(is_active=False)),
        Principal("0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f", "admin"),
        Principal("not a user", "admin"),
    ]:
        with pytest.raises(Unauthenticated):
            await account.read(principal)
        with pytest.raises(Unauthenticated):
            await account.change(principal, ChangeMe(name="X"))
        with pytest.raises(Unauthenticated):
            await account.change_password(principal, change("password", "new password"))


async def test_services_have_no_account(account: OwnAccount) -> None:
    with pytest.raises(Forbidden):
        await account.read(Principal("service:store", "service"))


async def test_a_new_password_ends_the_other_sessions(users: FakeUsers, account: OwnAccount) -> None:
    user = users.put()
    mine, other = users.open_session(user, "a"), users.open_session(user, "b")
    await account.change_password(caller(user, mine), change("password", "new password"))
    assert users.state.accounts[user.uuid].password_hash == "hash of new password"
    assert (users.is_revoked(mine), users.is_revoked(other)) == (False, True)
    assert users.state.failures == {}
    assert users.state.events == [("session.ended", user.uuid, str(user.uuid))]
    [facts] = users.state.facts
    assert facts == {"session": str(other), "reason": "the password was changed", "ended_together": 1}


async def test_a_wrong_current_password_is_a_failure_and_named(
    users: FakeUsers, account: OwnAccount, events: FakeEvents
) -> None:
    user = users.put()
    with pytest.raises(InvalidInput) as raised:
        await account.change_password(caller(user), change("wrong", "new password"))
    assert [problem.field for problem in raised.value.details] == ["current_password"]
    assert users.state.failures == {user.email: 1}
    assert [(event.type, event.subject) for event in events.told] == [("sign_in.failed", user.uuid)]


async def test_a_slowed_account_cannot_guess_here_either(
    users: FakeUsers, attempts: FakeAttempts, account: OwnAccount, events: FakeEvents
) -> None:
    user = users.put()
    attempts.seconds_to_wait = 30
    with pytest.raises(SignInSlowed):
        await account.change_password(caller(user), change("password", "new password"))
    assert [(event.type, event.subject) for event in events.told] == [("sign_in.slowed", user.uuid)]


async def test_an_unacceptable_new_password_is_no_failure(users: FakeUsers, account: OwnAccount) -> None:
    user = users.put()
    with pytest.raises(InvalidInput) as raised:
        await account.change_password(caller(user), change("wrong", user.email.upper()))
    assert [problem.field for problem in raised.value.details] == ["new_password"]
    assert users.state.failures == {}


async def test_of_two_changes_at_once_one_wins(users: FakeUsers) -> None:
    user = users.put()

    class Overtaken(FakePasswords):
        async def hash(self, password: str) -> str:
            async with users.transaction() as writing:
                account = users.state.accounts[user.uuid]
                await writing.change(account, {"password_hash": "hash of another"})
            return await super().hash(password)

    with pytest.raises(InvalidInput):
        await OwnAccount(users, password_attempts(FakeAttempts(users)), Overtaken()).change_password(
            caller(user), change("password", "new password")
        )
    assert users.state.accounts[user.uuid].password_hash == "hash of another"
