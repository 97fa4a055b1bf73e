from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.auth import constants
from services.auth.errors import (
    InvalidCredentials,
    InvalidRefresh,
    RefreshAlreadyUsed,
    RefreshReused,
    SignInSlowed,
)
from services.auth.metrics import AuthMetrics
from services.auth.repository.users import Account
from services.auth.schema import Login
from services.auth.signing import SigningKeys, TokenIssuer
from services.auth.usecase.sign_in import SignIn
from shared.errors import Forbidden
from shared.security.principal import Principal
from shared.security.tokens import TokenVerifier
from tests.support.auth_fakes import (
    PSEUDONYMS,
    FakeAttempts,
    FakeEvents,
    FakePasswords,
    FakeUsers,
    password_attempts,
)
from tests.support.tokens import CONFIG, SECRET, principal

KEYS = SigningKeys(SECRET.encode())


@pytest.fixture
def users() -> FakeUsers:
    return FakeUsers()


@pytest.fixture
def passwords() -> FakePasswords:
    return FakePasswords()


@pytest.fixture
def attempts(users: FakeUsers) -> FakeAttempts:
    return FakeAttempts(users)


@pytest.fixture
def events() -> FakeEvents:
    return FakeEvents()


@pytest.fixture
def sign_in(users: FakeUsers, attempts: FakeAttempts, events: FakeEvents, passwords: FakePasswords) -> SignIn:
    return SignIn(users, password_attempts(attempts, events), passwords, TokenIssuer(CONFIG, KEYS, 900))


async def named_by(access_token: str) -> Principal:
    return await TokenVerifier(CONFIG, KEYS).verify(access_token)


async def test_tokens_name_the_user_and_the_session(users: FakeUsers, sign_in: SignIn) -> None:
    tenant = UUID("0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f")
    user = users.put("manager", tenant, email="Sri@Example.com")
    tokens = await sign_in.login(Login(email="sri@example.COM", password="password"))
    [session] = users.state.families
    assert await named_by(tokens.access_token) == Principal(str(user.uuid), "manager", tenant, session)
    assert users.state.events == [("session.opened", user.uuid, str(user.uuid))]
    assert (tokens.token_type, tokens.expires_in, tokens.refresh_token) == ("Bearer", 900, "first token")


async def test_unknown_inactive_and_wrong_get_one_answer_after_one_check(
    users: FakeUsers, passwords: FakePasswords, events: FakeEvents, sign_in: SignIn
) -> None:
    wrong = users.put(email="wrong@example.com")
    inactive = users.put(email="inactive@example.com", is_active=False)
    messages: set[str] = set()
    for email, password in [
        ("wrong@example.com", "x"),
        ("inactive@example.com", "password"),
        ("nobody@example.com", "x"),
    ]:
        with pytest.raises(InvalidCredentials) as raised:
            await sign_in.login(Login(email=email, password=password))
        messages.add(raised.value.message)
    assert len(messages) == 1
    assert passwords.checks == 3
    assert set(users.state.failures.values()) == {1}
    told = [(event.type, event.subject_type, event.subject) for event in events.told]
    assert told == [
        ("sign_in.failed", "user", wrong.uuid),
        ("sign_in.failed", "user", inactive.uuid),
        ("sign_in.failed", "unknown_account", PSEUDONYMS.account_uuid("nobody@example.com")),
    ]
    assert [event.facts["account"] for event in events.told] == ["active", "inactive", "unknown"]


@pytest.mark.parametrize("exists", [True, False])
async def test_of_many_failures_few_are_told(
    users: FakeUsers, events: FakeEvents, sign_in: SignIn, *, exists: bool
) -> None:
    email = users.put().email if exists else "a secret typed in the wrong field@example.com"
    for _ in range(20):
        with pytest.raises(InvalidCredentials):
            await sign_in.login(Login(email=email, password="x"))
    assert [event.facts["attempts"] for event in events.told] == [1, 2, 4, 8, 16]
    assert len({event.subject for event in events.told}) == 1
    assert [event for event in events.told if email in str(event) or event.actor != "anonymous"] == []


async def test_success_forgets_failures(users: FakeUsers, events: FakeEvents, sign_in: SignIn) -> None:
    user = users.put()
    users.state.failures[user.email] = 7
    await sign_in.login(Login(email=user.email, password="password"))
    assert users.state.failures == {}
    assert events.told == []


async def test_a_slowed_account_is_not_checked(
    users: FakeUsers, attempts: FakeAttempts, passwords: FakePasswords, events: FakeEvents, sign_in: SignIn
) -> None:
    user = users.put()
    attempts.seconds_to_wait = 17
    for _ in range(5):
        with pytest.raises(SignInSlowed) as raised:
            await sign_in.login(Login(email=user.email, password="password"))
        assert raised.value.headers["Retry-After"] == "17"
    assert passwords.checks == 0
    told = [(event.type, event.subject, event.facts["attempts"]) for event in events.told]
    assert told == [("sign_in.slowed", user.uuid, number) for number in (1, 2, 4)]


async def test_an_outdated_hash_is_renewed(users: FakeUsers, sign_in: SignIn) -> None:
    user = users.put()
    users.state.accounts[user.uuid] = Account(user, "old hash of password")
    await sign_in.login(Login(email=user.email, password="password"))
    assert users.state.accounts[user.uuid] == Account(user, "hash of password")


async def test_a_user_deactivated_meanwhile_gets_no_session(users: FakeUsers) -> None:
    user, events = users.put(), FakeEvents()

    class Deactivating(FakePasswords):
        async def matches(self, password: str, password_hash: str | None) -> bool:
            users.deactivate(user)
            return await super().matches(password, password_hash)

    sign_in = SignIn(
        users, password_attempts(FakeAttempts(users), events), Deactivating(), TokenIssuer(CONFIG, KEYS, 900)
    )
    with pytest.raises(InvalidCredentials):
        await sign_in.login(Login(email=user.email, password="password"))
    assert users.state.families == {}
    assert [event.type for event in events.told] == ["sign_in.failed"]


async def test_a_refresh_gives_the_next_token_of_the_same_session(users: FakeUsers, sign_in: SignIn) -> None:
    user = users.put("admin")
    session = users.open_session(user, "a")
    tokens = await sign_in.refresh("a")
    assert tokens.refresh_token == users.state.families[session].tokens[-1] != "a"
    assert await named_by(tokens.access_token) == Principal(str(user.uuid), "admin", None, session)


@pytest.mark.parametrize(
    ("token", "seconds_ago", "error", "revoked"),
    [
        ("b", 3, RefreshAlreadyUsed, False),
        ("b", constants.REFRESH_RACE_SECONDS + 0.1, RefreshReused, True),
        ("a", 3, RefreshReused, True),
        ("unknown", 0, InvalidRefresh, False),
    ],
)
async def test_a_token_that_does_not_work_any_more(
    users: FakeUsers,
    sign_in: SignIn,
    *,
    token: str,
    seconds_ago: float,
    error: type[Exception],
    revoked: bool,
) -> None:
    session = users.open_session(users.put(), "a", "b", "c")
    users.state.families[session].last_used_seconds_ago = seconds_ago
    with pytest.raises(error):
        await sign_in.refresh(token)
    assert users.is_revoked(session) is revoked
    told = ["session.ended", "session.refresh_reused"] if revoked else []
    assert [event[0] for event in users.state.events] == told
    reasons = [facts["reason"] for facts in users.state.facts if "reason" in facts]
    assert reasons == ["a refresh token was used twice"] * revoked


async def test_an_inactive_user_refreshes_nothing(users: FakeUsers, sign_in: SignIn) -> None:
    users.open_session(users.put(is_active=False), "a")
    with pytest.raises(InvalidRefresh):
        await sign_in.refresh("a")


async def test_signing_out_ends_one_session(users: FakeUsers, sign_in: SignIn) -> None:
    user = users.put()
    session, other = users.open_session(user, "a"), users.open_session(user, "b")
    await sign_in.logout(Principal(str(user.uuid), "user", None, session))
    assert (users.is_revoked(session), users.is_revoked(other)) == (True, False)
    assert users.state.events == [("session.ended", user.uuid, str(user.uuid))]
    assert users.state.facts == [{"session": str(session), "reason": "signed out"}]


async def test_a_token_without_session_cannot_sign_out(sign_in: SignIn) -> None:
    with pytest.raises(Forbidden):
        await sign_in.logout(Principal("service:store", "service"))


async def test_signing_out_twice_is_fine(users: FakeUsers, sign_in: SignIn) -> None:
    caller = principal("user")
    assert caller.session
    users.state.families[caller.session] = users.state.families[users.open_session(users.put(), "a")]
    await sign_in.logout(caller)
    await sign_in.logout(caller)
    assert len(users.state.events) == 1


async def test_attempts_are_counted_by_their_results(users: FakeUsers, attempts: FakeAttempts) -> None:
    registry = CollectorRegistry()
    sign_in = SignIn(
        users,
        password_attempts(attempts, FakeEvents()),
        FakePasswords(),
        TokenIssuer(CONFIG, KEYS, 900),
        AuthMetrics(registry),
    )

    def counted() -> list[float | None]:
        results = ("succeeded", "refused", "slowed")
        return [registry.get_sample_value("auth_sign_ins_total", {"result": each}) for each in results]

    assert counted() == [0, 0, 0]
    with pytest.raises(InvalidCredentials):
        await sign_in.login(Login(email="nobody@example.com", password="wrong"))
    assert counted() == [0, 1, 0]
