import logging

import pytest

from services.auth.config import AdminConfig
from services.auth.usecase.first_admin import FirstAdmin
from shared.config import Secret
from tests.support.auth_fakes import FakePasswords, FakeUsers

CONFIG = AdminConfig(email="admin@example.com", password=Secret("a password"))


async def test_the_admin_is_created_once_and_never_overwritten(caplog: pytest.LogCaptureFixture) -> None:
    users = FakeUsers()
    with caplog.at_level(logging.INFO, "gerai.auth"):
        await FirstAdmin(users, FakePasswords(), CONFIG).create()
        changed = AdminConfig(email="ADMIN@example.com", password=Secret("another password"))
        await FirstAdmin(users, FakePasswords(), changed).create()
    [account] = users.state.accounts.values()
    assert (account.user.roles, account.password_hash) == (["admin"], "hash of a password")
    assert len(caplog.records) == 1
    assert "admin@example.com" not in caplog.text


async def test_without_configuration_there_is_none() -> None:
    users = FakeUsers()
    await FirstAdmin(users, FakePasswords(), AdminConfig()).create()
    assert users.state.accounts == {}
