"""Messages and limits of the auth service."""

USER_CREATED = "User created"
USER_CHANGED = "User changed"

USER_NOT_FOUND = "User with id '{uuid}' not found"
DUPLICATE_USER = "Duplicate user! This e-mail address already has an account."
LAST_ADMIN = "This is the last active admin. Make another user an admin first."
INVALID_CREDENTIALS = "The e-mail address or the password is not right."
SIGN_IN_SLOWED = "Too many failed attempts for this account. Try again in {seconds} seconds."
SIGN_IN_BUSY = "Too many passwords are being checked right now. Try again shortly."
INVALID_REFRESH = "This refresh token is not valid. Sign in again."
REFRESH_ALREADY_USED = "This refresh token was used a moment ago. Use the one that was answered then."
REFRESH_REUSED = "This refresh token was used before, so its session has been ended. Sign in again."

ADMIN_HAS_NO_TENANT = "must be null for an admin, who belongs to no client"
WRONG_CURRENT_PASSWORD = "is not your current password"  # noqa: S105 - a message
ACCOUNT_ENDED = "this account is not active any more"

FIRST_ADMIN_NAME = "Administrator"

FAILURES_BEFORE_SLOWING = 20
FAILURE_WINDOW_SECONDS = 15 * 60
SLOWED_INTERVAL_SECONDS = 30

AUDIT_WINDOW_SECONDS = 15 * 60
SIGN_INS_TOLD = 500
SERVICE_TOKENS_TOLD = 10
SERVICE_GRANTS_WINDOW_SECONDS = 24 * 3600
SESSIONS_TOLD = 100

SESSION_OPENED = "session.opened"
SESSION_ENDED = "session.ended"
REFRESH_TOKEN_REUSED = "session.refresh_reused"  # noqa: S105 - the type of an event
PASSWORD_CHANGED = "user.password_changed"  # noqa: S105 - the type of an event
FAILED_SIGN_IN = "sign_in.failed"
SLOWED_SIGN_IN = "sign_in.slowed"
SERVICE_TOKEN_GRANTED = "service_token.granted"  # noqa: S105 - the type of an event
SERVICE_TOKEN_REFUSED = "service_token.refused"  # noqa: S105 - the type of an event
SIGNING_KEYS_CHANGED = "signing_keys.changed"

SIGNED_OUT = "signed out"
NEW_PASSWORD = "the password was changed"  # noqa: S105 - a reason
NEW_AUTHORITY = "what the user may do was changed"
USER_ENDED = "the user was ended"
TOKEN_REUSED = "a refresh token was used twice"  # noqa: S105 - a reason

REFRESH_RACE_SECONDS = 10

JWKS_CACHE_SECONDS = 300
