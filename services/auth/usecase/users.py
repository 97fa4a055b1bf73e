"""What can be done with users, and by whom: admins manage all, a tenant's manager its plain users."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from services.auth import constants
from services.auth.errors import LastAdmin, UserNotFound
from services.auth.passwords import Passwords, password_problem
from services.auth.repository.users import Account, UserRepository, UserWriter
from services.auth.schema import ChangeUser, CreateUser, User, UserQuery
from shared.conversion import set_fields, to_uuids
from shared.errors import FieldError, Forbidden, InvalidInput
from shared.listing import Listing
from shared.preconditions import UNCONDITIONAL, Condition
from shared.security.principal import Principal


class Users:
    """The use cases of users."""

    def __init__(self, users: UserRepository, passwords: Passwords) -> None:
        self._users = users
        self._passwords = passwords

    async def create(self, principal: Principal, command: CreateUser) -> User:
        """Create a user; a manager's is a plain user of their own tenant."""
        _require_manager_of_users(principal)
        _require_grantable(principal, command)
        client_uuid = principal.client_uuid if command.client_uuid is UNSET else command.client_uuid
        fields = {
            "email": command.email,
            "name": command.name,
            "role": command.roles[0],
            "client_uuid": client_uuid,
            "is_active": command.is_active,
        }
        _require_consistent(fields, command.password)
        password_hash = await self._passwords.hash(command.password)
        async with self._users.transaction(principal.subject) as users:
            return await users.add({**fields, "password_hash": password_hash})

    async def read(self, principal: Principal, uuid: UUID) -> User:
        """Return a user the caller manages."""
        _require_manager_of_users(principal)
        user = await self._users.find(uuid)
        if user is None or not _manages(principal, user):
            raise UserNotFound(uuid=uuid)
        return user

    async def list(self, principal: Principal, query: UserQuery) -> Listing[User]:
        """Return a page of the users the caller manages."""
        _require_manager_of_users(principal)
        uuids = None if query.uuids is None else to_uuids("uuids", query.uuids)
        return await self._users.list(query, uuids, principal.client_uuid)

    async def change(
        self, principal: Principal, uuid: UUID, command: ChangeUser, condition: Condition = UNCONDITIONAL
    ) -> User:
        """Change a user the caller manages.

        Their sessions end when what tokens say of them, or the password, is changed. Raises
        PreconditionFailed when the user is not as `condition` wants it.
        """
        _require_manager_of_users(principal)
        changes = await self._column_changes(command)
        async with self._users.transaction(principal.subject) as users:
            await users.hold_admins()
            account = _managed(principal, uuid, await users.lock(uuid))
            _require_grantable(principal, command)
            condition.require(account.user.version)
            if not changes:
                return account.user
            _require_consistent(_columns(account.user) | changes, command.password)
            await _require_admin_left(users, account.user, changes)
            changed = await users.change(account, changes)
            if _authority(changed) != _authority(account.user):
                await users.end_sessions(uuid, constants.NEW_AUTHORITY)
            elif "password_hash" in changes:
                await users.end_sessions(uuid, constants.NEW_PASSWORD)
        return changed

    async def delete(self, principal: Principal, uuid: UUID, condition: Condition = UNCONDITIONAL) -> None:
        """End a user the caller manages, and their sessions. Raises as `change` does."""
        _require_manager_of_users(principal)
        async with self._users.transaction(principal.subject) as users:
            await users.hold_admins()
            account = _managed(principal, uuid, await users.lock(uuid))
            condition.require(account.user.version)
            await _require_admin_left(users, account.user, {"is_active": False})
            await users.delete(account.user)
            await users.end_sessions(uuid, constants.USER_ENDED)

    async def _column_changes(self, command: ChangeUser) -> dict[str, Any]:
        changes = set_fields(command)
        if "roles" in changes:
            changes["role"] = changes.pop("roles")[0]
        if "password" in changes:
            changes["password_hash"] = await self._passwords.hash(changes.pop("password"))
        return changes


def _require_manager_of_users(principal: Principal) -> None:
    principal.require("admin", "manager")
    if principal.role == "manager" and principal.client_uuid is None:
        raise Forbidden


def _manages(principal: Principal, user: User) -> bool:
    return principal.role == "admin" or (user.roles == ["user"] and user.client_uuid == principal.client_uuid)


def _managed(principal: Principal, uuid: UUID, account: Account | None) -> Account:
    if account is None or not _manages(principal, account.user):
        raise UserNotFound(uuid=uuid)
    return account


def _require_grantable(principal: Principal, command: CreateUser | ChangeUser) -> None:
    """Let a manager give nothing but the role user in their own tenant."""
    if principal.role == "manager" and (
        command.roles not in (UNSET, ["user"]) or command.client_uuid not in (UNSET, principal.client_uuid)
    ):
        raise Forbidden


def _require_consistent(fields: Mapping[str, Any], password: str | UnsetType) -> None:
    problems: list[FieldError] = []
    if fields["role"] == "admin" and fields["client_uuid"] is not None:
        problems.append(FieldError("client_uuid", constants.ADMIN_HAS_NO_TENANT))
    problem = None if password is UNSET else password_problem(password, fields["email"])
    if problem:
        problems.append(FieldError("password", problem))
    if problems:
        raise InvalidInput(details=problems)


async def _require_admin_left(users: UserWriter, user: User, changes: dict[str, Any]) -> None:
    """Raise LastAdmin when the changes would leave no active admin."""
    was, will_be = _columns(user), _columns(user) | changes
    if _is_acting_admin(was) and not _is_acting_admin(will_be) and not await users.has_other_admin(user.uuid):
        raise LastAdmin


def _is_acting_admin(fields: Mapping[str, Any]) -> bool:
    return fields["role"] == "admin" and fields["is_active"]


def _columns(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "role": user.roles[0],
        "client_uuid": user.client_uuid,
        "is_active": user.is_active,
    }


def _authority(user: User) -> tuple[object, ...]:
    """Return what access tokens and the right to have them depend on."""
    return (user.roles, user.client_uuid, user.is_active)
