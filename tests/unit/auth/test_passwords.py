import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest
from argon2 import PasswordHasher

from services.auth.errors import SignInBusy
from services.auth.passwords import MOST_WAITING, WORKERS, Passwords, password_problem


@pytest.fixture
async def passwords() -> AsyncGenerator[Passwords]:
    passwords = Passwords()
    yield passwords
    await passwords.close()


@pytest.mark.parametrize(
    "password",
    ["eight888", "x" * 128, "a\x00b\n\t\u200b\u202e 8", "😀" * 8, "e\u0301" * 8, "name@example.co"],
)
def test_passwords_that_are_accepted(password: str) -> None:
    assert password_problem(password, "name@example.com") is None


@pytest.mark.parametrize(
    "password",
    ["", "seven77", "x" * 129, "e\u0301" * 7, "name@example.com", "NAME@example.com", "ｎame@example.com"],
)
def test_passwords_that_are_refused(password: str) -> None:
    assert password_problem(password, "name@example.com")


async def test_a_hash_has_the_recommended_parameters(passwords: Passwords) -> None:
    password_hash = await passwords.hash("a password")
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.is_outdated(password_hash)
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))


async def test_only_the_right_password_matches(passwords: Passwords) -> None:
    password_hash = await passwords.hash("pässwort\x00")
    assert await passwords.matches("pa\u0308sswort\x00", password_hash)
    assert not await passwords.matches("pässwort", password_hash)


async def test_without_a_hash_nothing_matches_and_as_much_is_done(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, hash: str, password: str) -> bool:  # noqa: A002 - argon2's name
        verified.append(hash)
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    assert not await passwords.matches("password", None)
    assert verified[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_the_event_loop_goes_on(passwords: Passwords) -> None:
    hashing = asyncio.create_task(passwords.hash("a password"))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_too_many_waiting_are_told_to_come_back(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def waiting(_: PasswordHasher, password: str) -> str:
        go_on.wait()
        return password

    monkeypatch.setattr(PasswordHasher, "hash", waiting)
    tasks = [asyncio.create_task(passwords.hash(str(number))) for number in range(WORKERS + MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(SignInBusy) as raised:
        await passwords.hash("one too many")
    assert raised.value.headers["Retry-After"]
    tasks.pop().cancel()
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(passwords.hash("in the place of who left")))
    await asyncio.sleep(0)
    go_on.set()
    assert len(set(await asyncio.gather(*tasks))) == WORKERS + MOST_WAITING
