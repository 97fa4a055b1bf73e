from uuid import UUID

import pytest
from msgspec import UNSET, UnsetType

from services.auth import constants
from services.auth.errors import DuplicateUser, LastAdmin, UserNotFound
from services.auth.schema import ChangeUser, CreateUser, Role, User, UserQuery
from services.auth.usecase.users import Users
from shared.errors import Forbidden, InvalidInput
from shared.security.principal import Principal
from tests.support.auth_fakes import FakePasswords, FakeUsers
from tests.support.tokens import principal

C = UUID("0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f")
D = UUID("0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e60")

PASSWORD = "a password"

ADMIN = principal("admin")
MANAGER_OF_C = principal("manager", C)
STRANGERS = [
    principal("manager"),
    principal("user"),
    principal("user", C),
    Principal("service:store", "service"),
]


@pytest.fixture
def stored() -> FakeUsers:
    return FakeUsers()


@pytest.fixture
def users(stored: FakeUsers) -> Users:
    return Users(stored, FakePasswords())


def new_user(
    role: Role = "user", client_uuid: UUID | UnsetType | None = UNSET, password: str = PASSWORD
) -> CreateUser:
    return CreateUser(
        email="ani@example.com", name="Ani", password=password, roles=[role], client_uuid=client_uuid
    )


def fields(error: pytest.ExceptionInfo[InvalidInput]) -> list[str]:
    return [problem.field for problem in error.value.details]


@pytest.mark.parametrize("stranger", STRANGERS, ids=lambda each: f"{each.role} of {each.client_uuid}")
async def test_others_manage_nobody(stored: FakeUsers, users: Users, stranger: Principal) -> None:
    uuid = stored.put("user", C).uuid
    for call in [
        users.create(stranger, new_user()),
        users.list(stranger, UserQuery()),
        users.read(stranger, uuid),
        users.change(stranger, uuid, ChangeUser(name="X")),
        users.delete(stranger, uuid),
    ]:
        with pytest.raises(Forbidden):
            await call


@pytest.mark.parametrize(
    ("role", "tenant"), [("admin", None), ("manager", None), ("manager", C), ("user", None), ("user", D)]
)
async def test_admins_create_everyone(users: Users, role: Role, tenant: UUID | None) -> None:
    user = await users.create(ADMIN, new_user(role, tenant))
    assert (user.roles, user.client_uuid) == ([role], tenant)


@pytest.mark.parametrize("tenant", [UNSET, C])
async def test_a_managers_new_user_is_of_their_tenant(users: Users, tenant: UUID | UnsetType) -> None:
    user = await users.create(MANAGER_OF_C, new_user("user", tenant))
    assert user.client_uuid == C


@pytest.mark.parametrize(
    ("role", "tenant"), [("user", D), ("user", None), ("manager", C), ("admin", UNSET), ("admin", None)]
)
async def test_managers_give_no_other_role_or_tenant(
    stored: FakeUsers, users: Users, role: Role, tenant: UUID | UnsetType | None
) -> None:
    with pytest.raises(Forbidden):
        await users.create(MANAGER_OF_C, new_user(role, tenant))
    own = stored.put("user", C)
    with pytest.raises(Forbidden):
        await users.change(MANAGER_OF_C, own.uuid, ChangeUser(roles=[role], client_uuid=tenant))


@pytest.mark.parametrize(("role", "tenant"), [("user", D), ("user", None), ("manager", C), ("admin", None)])
async def test_whom_a_manager_does_not_manage_does_not_exist(
    stored: FakeUsers, users: Users, role: Role, tenant: UUID | None
) -> None:
    stored.put("admin")
    uuid = stored.put(role, tenant).uuid
    for call in [
        users.read(MANAGER_OF_C, uuid),
        users.change(MANAGER_OF_C, uuid, ChangeUser(roles=["admin"])),
        users.delete(MANAGER_OF_C, uuid),
    ]:
        with pytest.raises(UserNotFound):
            await call


async def test_a_manager_manages_their_users(stored: FakeUsers, users: Users) -> None:
    user = stored.put("user", C)
    change = ChangeUser(name="Ani", roles=["user"], client_uuid=C, is_active=False)
    assert await users.read(MANAGER_OF_C, user.uuid) == user
    assert (await users.change(MANAGER_OF_C, user.uuid, change)).is_active is False
    assert [each.uuid for each in (await users.list(MANAGER_OF_C, UserQuery())).items] == [user.uuid]
    await users.delete(MANAGER_OF_C, user.uuid)
    assert user.uuid not in stored.state.accounts


async def test_an_admin_has_no_tenant(stored: FakeUsers, users: Users) -> None:
    with pytest.raises(InvalidInput) as raised:
        await users.create(ADMIN, new_user("admin", C, password="ani@example.com"))
    assert fields(raised) == ["client_uuid", "password"]
    user = stored.put("user", C)
    with pytest.raises(InvalidInput) as raised:
        await users.change(ADMIN, user.uuid, ChangeUser(roles=["admin"]))
    assert fields(raised) == ["client_uuid"]
    promoted = await users.change(ADMIN, user.uuid, ChangeUser(roles=["admin"], client_uuid=None))
    assert (promoted.roles, promoted.client_uuid) == (["admin"], None)


async def test_a_password_is_compared_with_the_email_that_will_be(stored: FakeUsers, users: Users) -> None:
    user = stored.put()
    change = ChangeUser(email="new@example.com", password="NEW@example.com")
    with pytest.raises(InvalidInput) as raised:
        await users.change(ADMIN, user.uuid, change)
    assert fields(raised) == ["password"]


@pytest.mark.parametrize(
    "change", [ChangeUser(is_active=False), ChangeUser(roles=["user"]), ChangeUser(roles=["manager"]), None]
)
async def test_the_last_active_admin_stays(
    stored: FakeUsers, users: Users, change: ChangeUser | None
) -> None:
    last = stored.put("admin")
    stored.put("admin", is_active=False)
    with pytest.raises(LastAdmin):
        await _apply(users, last, change)
    assert stored.state.accounts[last.uuid].user == last
    stored.put("admin")
    await _apply(users, last, change)


async def _apply(users: Users, user: User, change: ChangeUser | None) -> None:
    if change:
        await users.change(ADMIN, user.uuid, change)
    else:
        await users.delete(ADMIN, user.uuid)


async def test_the_last_admin_may_be_renamed(stored: FakeUsers, users: Users) -> None:
    last = stored.put("admin")
    change = ChangeUser(name="Boss", roles=["admin"], is_active=True, password="another password")
    assert (await users.change(ADMIN, last.uuid, change)).name == "Boss"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (ChangeUser(name="X", email="x@example.com"), None),
        (ChangeUser(roles=["user"], client_uuid=C, is_active=True), None),
        (ChangeUser(), None),
        (ChangeUser(roles=["manager"]), constants.NEW_AUTHORITY),
        (ChangeUser(client_uuid=D), constants.NEW_AUTHORITY),
        (ChangeUser(client_uuid=None), constants.NEW_AUTHORITY),
        (ChangeUser(is_active=False), constants.NEW_AUTHORITY),
        (ChangeUser(password="another password"), constants.NEW_PASSWORD),
        (None, constants.USER_ENDED),
    ],
)
async def test_which_changes_end_sessions(
    stored: FakeUsers, users: Users, change: ChangeUser | None, reason: str | None
) -> None:
    user = stored.put("user", C)
    sessions = {stored.open_session(user, token) for token in "ab"}
    await _apply(users, user, change)
    assert {stored.is_revoked(session) for session in sessions} == {reason is not None}
    told = {facts["session"]: (facts["reason"], facts["ended_together"]) for facts in stored.state.facts}
    assert told == ({str(session): (reason, 2) for session in sessions} if reason else {})
    assert {(event[0], event[1]) for event in stored.state.events} == (
        {("session.ended", user.uuid)} if reason else set()
    )


async def test_an_email_has_one_user(stored: FakeUsers, users: Users) -> None:
    stored.put(email="ANI@example.com")
    with pytest.raises(DuplicateUser):
        await users.create(ADMIN, new_user())
