"""The administrator that exists from the first start."""

import logging

from services.auth import constants
from services.auth.config import AdminConfig
from services.auth.passwords import Passwords
from services.auth.repository.users import UserRepository

logger = logging.getLogger("gerai.auth")


class FirstAdmin:
    """Creates the configured administrator; an account that has the e-mail address is left as it is."""

    def __init__(self, users: UserRepository, passwords: Passwords, config: AdminConfig) -> None:
        self._users = users
        self._passwords = passwords
        self._config = config

    async def create(self) -> None:
        """Create the administrator unless none is configured or the e-mail address has an account."""
        email, password = self._config.email, self._config.password
        if email and password and not await self._users.find_account_by_email(email):
            await self._create(email, await self._passwords.hash(password.reveal()))

    async def _create(self, email: str, password_hash: str) -> None:
        fields = {
            "email": email,
            "name": constants.FIRST_ADMIN_NAME,
            "role": "admin",
            "client_uuid": None,
            "is_active": True,
            "password_hash": password_hash,
        }
        async with self._users.transaction() as users:
            admin = await users.add_if_free(fields)
        if admin:
            logger.info("Created the first admin", extra={"fields": {"user": str(admin.uuid)}})
