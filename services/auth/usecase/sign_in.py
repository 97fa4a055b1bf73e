"""Signing in, staying signed in, and signing out."""

from uuid import UUID

from services.auth import constants
from services.auth.errors import (
    InvalidCredentials,
    InvalidRefresh,
    RefreshAlreadyUsed,
    RefreshReused,
)
from services.auth.metrics import AuthMetrics
from services.auth.passwords import Passwords
from services.auth.repository.users import Account, UserRepository, UserWriter
from services.auth.schema import Login, Tokens, User
from services.auth.signing import TokenIssuer
from services.auth.usecase.attempts import PasswordAttempts
from shared.errors import Forbidden, Unauthenticated
from shared.security.principal import Principal


class SignIn:
    """The use cases of sessions."""

    def __init__(
        self,
        users: UserRepository,
        attempts: PasswordAttempts,
        passwords: Passwords,
        issuer: TokenIssuer,
        metrics: AuthMetrics | None = None,
    ) -> None:
        self._users = users
        self._attempts = attempts
        self._passwords = passwords
        self._issuer = issuer
        self._metrics = metrics or AuthMetrics()

    async def login(self, command: Login) -> Tokens:
        """Begin a session.

        Unknown and inactive users get the answer of a wrong password, in the same time.
        """
        with self._metrics.attempt():
            account = await self._users.find_account_by_email(command.email)
            attempt = await self._attempts.claim(command.email, account)
            tokens = await self._checked(account, command)
            if tokens is None:
                await self._attempts.failed(command.email, account, attempt)
                raise InvalidCredentials
            return tokens

    async def refresh(self, refresh_token: str) -> Tokens:
        """Exchange a refresh token for new tokens; one that was used before may end its session."""
        async with self._users.transaction() as users:
            session = await users.sessions.claim(refresh_token)
            account = await users.find(session.user_uuid) if session else None
            if session and account:
                return self._tokens(account.user, session.uuid, await users.sessions.renew(session))
            refusal = await _refusal(users, refresh_token)
        # Raised after the commit: a session that was ended stays ended although this is an error.
        raise refusal

    async def logout(self, principal: Principal) -> None:
        """End the session of the caller's token."""
        if principal.session is None:
            raise Forbidden
        async with self._users.transaction(principal.subject) as users:
            await users.end_session(principal.session, constants.SIGNED_OUT)

    async def _checked(self, account: Account | None, command: Login) -> Tokens | None:
        """Return the tokens of a new session when the account is active and has this password."""
        active = account if account and account.user.is_active else None
        matches = await self._passwords.matches(command.password, active.password_hash if active else None)
        return await self._open(active, command) if active and matches else None

    async def _open(self, account: Account, command: Login) -> Tokens | None:
        uuid, new_hash = account.user.uuid, None
        if self._passwords.is_outdated(account.password_hash):
            new_hash = await self._passwords.hash(command.password)
        async with self._users.transaction(str(uuid)) as users:
            if not _still_holds(account, await users.lock(uuid)):
                return None
            if new_hash:
                await users.renew_hash(uuid, new_hash)
            await users.attempts.clear(command.email)
            session, refresh_token = await users.sessions.open(uuid)
            await users.audit.record(constants.SESSION_OPENED, uuid, {"session": str(session)})
        return self._tokens(account.user, session, refresh_token)

    def _tokens(self, user: User, session: UUID, refresh_token: str) -> Tokens:
        principal = Principal(str(user.uuid), user.roles[0], user.client_uuid, session)
        access_token = self._issuer.issue(principal)
        return Tokens(
            access_token=access_token, expires_in=self._issuer.lifetime, refresh_token=refresh_token
        )


def _still_holds(checked: Account, current: Account | None) -> bool:
    """Tell whether the user is active and has the password that was checked a moment ago.

    A new hash of the same password leaves the version alone; a new password changes both.
    """
    if current is None or not current.user.is_active:
        return False
    same_hash = current.password_hash == checked.password_hash
    return same_hash or current.user.version == checked.user.version


async def _refusal(users: UserWriter, refresh_token: str) -> Unauthenticated:
    used = await users.sessions.find_used(refresh_token)
    if used is None:
        return InvalidRefresh()
    if used.precedes_newest and used.seconds_ago <= constants.REFRESH_RACE_SECONDS:
        return RefreshAlreadyUsed()
    user = await users.end_session(used.session_uuid, constants.TOKEN_REUSED)
    if user:
        facts = {"session": str(used.session_uuid)}
        await users.audit.record(constants.REFRESH_TOKEN_REUSED, user, facts)
    return RefreshReused()
