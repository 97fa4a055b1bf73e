"""Attempts to give a password: how many are admitted, and what the audit tells of those that fail."""

from services.auth import constants
from services.auth.errors import SignInSlowed
from services.auth.pseudonyms import Pseudonyms
from services.auth.repository.attempts import Attempt, AttemptRepository
from services.auth.repository.outside_events import Bound, OutsideEvent, OutsideEvents
from services.auth.repository.users import Account

_BOUND = Bound(constants.SIGN_INS_TOLD, constants.AUDIT_WINDOW_SECONDS)


class PasswordAttempts:
    """Does the same for every e-mail address, so that neither answer nor time tells which have an account."""

    def __init__(self, attempts: AttemptRepository, events: OutsideEvents, pseudonyms: Pseudonyms) -> None:
        self._attempts = attempts
        self._events = events
        self._pseudonyms = pseudonyms

    async def claim(self, email: str, account: Account | None) -> Attempt:
        """Count an attempt, a failure until it is forgotten; raises SignInSlowed when they are too many."""
        attempt = await self._attempts.claim(email)
        if attempt.seconds:
            await self._tell(constants.SLOWED_SIGN_IN, email, account, attempt)
            raise SignInSlowed(seconds=attempt.seconds)
        return attempt

    async def failed(self, email: str, account: Account | None, attempt: Attempt) -> None:
        """Tell that the password was not right."""
        await self._tell(constants.FAILED_SIGN_IN, email, account, attempt)

    async def _tell(self, type_: str, email: str, account: Account | None, attempt: Attempt) -> None:
        """Tell of an account's 1st, 2nd, 4th, 8th… of a window: a few entries, however many there are."""
        if attempt.number & (attempt.number - 1):
            return
        event = OutsideEvent(
            type=type_,
            kind=type_,
            subject_type="user" if account else "unknown_account",
            subject=account.user.uuid if account else self._pseudonyms.account_uuid(email),
            facts={"account": _standing(account), "attempts": attempt.number},
        )
        await self._events.record(event, _BOUND)


def _standing(account: Account | None) -> str:
    if account is None:
        return "unknown"
    return "active" if account.user.is_active else "inactive"
