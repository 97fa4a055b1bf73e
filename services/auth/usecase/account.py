"""What people do with their own account."""

from uuid import UUID

from msgspec import UNSET

from services.auth import constants
from services.auth.passwords import Passwords, password_problem
from services.auth.repository.attempts import Attempt
from services.auth.repository.users import Account, UserRepository
from services.auth.schema import ChangeMe, ChangePassword, User
from services.auth.usecase.attempts import PasswordAttempts
from shared.conversion import set_fields
from shared.errors import FieldError, InvalidInput, Unauthenticated
from shared.security.principal import Principal


class OwnAccount:
    """The use cases of the caller's own account."""

    def __init__(self, users: UserRepository, attempts: PasswordAttempts, passwords: Passwords) -> None:
        self._users = users
        self._attempts = attempts
        self._passwords = passwords

    async def read(self, principal: Principal) -> User:
        """Return the caller's user."""
        user = await self._users.find(_own_uuid(principal))
        if user is None or not user.is_active:
            raise _account_ended()
        return user

    async def change(self, principal: Principal, command: ChangeMe) -> User:
        """Change what people may change of themselves."""
        async with self._users.transaction(principal.subject) as users:
            account = _active(await users.lock(_own_uuid(principal)))
            return (
                await users.change(account, set_fields(command))
                if command.name is not UNSET
                else account.user
            )

    async def change_password(self, principal: Principal, command: ChangePassword) -> None:
        """Change the caller's password and end their other sessions.

        A wrong current password counts as a failed sign-in.
        """
        account, attempt = await self._attempt(principal, command)
        if not await self._passwords.matches(command.current_password, account.password_hash):
            await self._attempts.failed(account.user.email, account, attempt)
            raise _wrong_current_password()
        new_hash = await self._passwords.hash(command.new_password)
        async with self._users.transaction(principal.subject) as users:
            current = _active(await users.lock(account.user.uuid))
            if current.password_hash != account.password_hash:
                raise _wrong_current_password()
            await users.change(current, {"password_hash": new_hash})
            await users.attempts.clear(current.user.email)
            await users.end_sessions(current.user.uuid, constants.NEW_PASSWORD, keep=principal.session)

    async def _attempt(self, principal: Principal, command: ChangePassword) -> tuple[Account, Attempt]:
        account = _active(await self._users.find_account(_own_uuid(principal)))
        problem = password_problem(command.new_password, account.user.email)
        if problem:
            raise InvalidInput(details=[FieldError("new_password", problem)])
        return account, await self._attempts.claim(account.user.email, account)


def _own_uuid(principal: Principal) -> UUID:
    principal.require("admin", "manager", "user")
    try:
        return UUID(principal.subject)
    except ValueError:
        raise _account_ended() from None


def _active(account: Account | None) -> Account:
    if account is None or not account.user.is_active:
        raise _account_ended()
    return account


def _account_ended() -> Unauthenticated:
    return Unauthenticated(reason=constants.ACCOUNT_ENDED)


def _wrong_current_password() -> InvalidInput:
    return InvalidInput(details=[FieldError("current_password", constants.WRONG_CURRENT_PASSWORD)])
