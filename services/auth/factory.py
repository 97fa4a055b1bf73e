"""Builds the auth service: the only place where its objects are made and joined."""

from litestar.openapi.spec import Tag

from services.auth import routes
from services.auth.config import AuthConfig
from services.auth.controller.account import AccountController
from services.auth.controller.audit import AuditController
from services.auth.controller.oauth import OAuthController
from services.auth.controller.sign_in import SignInController
from services.auth.controller.users import UserController
from services.auth.metrics import AuthMetrics
from services.auth.passwords import Passwords
from services.auth.pseudonyms import Pseudonyms
from services.auth.repository.attempts import AttemptRepository
from services.auth.repository.audit import AuditRepository
from services.auth.repository.outside_events import OutsideEvents
from services.auth.repository.signing_keys import SigningKeyLog
from services.auth.repository.users import UserRepository
from services.auth.signing import TokenIssuer, load_signing_keys
from services.auth.usecase.account import OwnAccount
from services.auth.usecase.attempts import PasswordAttempts
from services.auth.usecase.audit import Audit
from services.auth.usecase.first_admin import FirstAdmin
from services.auth.usecase.key_changes import KeyChanges
from services.auth.usecase.service_tokens import ServiceTokens
from services.auth.usecase.sign_in import SignIn
from services.auth.usecase.users import Users
from shared.app import Application
from shared.cache.link import RedisLink
from shared.cache.metrics import RedisMetrics
from shared.db import Database
from shared.events.metrics import EventMetrics
from shared.events.relay import Relay
from shared.idempotency.pruning import Pruning
from shared.idempotency.routes import IdempotentRoutes
from shared.security.tokens import TokenVerifier
from shared.service import create_application
from shared.telemetry.metrics import Metrics

TAGS = [
    Tag(name=routes.SIGN_IN, description="Sessions, tokens, and one's own account."),
    Tag(name=routes.USERS, description="People who may sign in."),
    Tag(
        name=routes.AUDIT,
        description="Who signed in or failed to, who changed whom, and which tokens and keys there were.",
    ),
]


def create_app(config: AuthConfig) -> Application:
    """Return the auth service, ready to be served; raises ConfigurationError for a key file it cannot use."""
    keys = load_signing_keys(config.token, config.keys)
    issuer = TokenIssuer(config.token, keys, config.lifetimes.access_token_seconds)
    metrics = Metrics()
    auth_metrics = AuthMetrics(metrics.registry)
    link = RedisLink(config.redis, RedisMetrics(metrics.registry))
    database = Database(config.database, "gerai-auth", link, metrics.registry)
    pseudonyms = Pseudonyms(config.idempotency.secret)
    users = UserRepository(database, config.lifetimes, pseudonyms)
    events = OutsideEvents(database)
    attempts = PasswordAttempts(AttemptRepository(database, pseudonyms), events, pseudonyms)
    passwords = Passwords()
    idempotent = IdempotentRoutes(database, config.idempotency)
    pruning = Pruning(database)
    relay = Relay("auth", config, database, metrics=EventMetrics(metrics.registry))
    return create_application(
        "auth",
        config,
        routes=routes.routes(
            SignInController(SignIn(users, attempts, passwords, issuer, auth_metrics)),
            AccountController(OwnAccount(users, attempts, passwords)),
            UserController(Users(users, passwords)),
            AuditController(Audit(AuditRepository(database))),
            idempotent,
        ),
        internal_routes=routes.internal_routes(
            OAuthController(ServiceTokens(config.oauth.secrets(), issuer, events, pseudonyms), keys)
        ),
        verifier=TokenVerifier(config.token, keys),
        tags=TAGS,
        metrics=metrics,
        on_start=[
            database.start,
            FirstAdmin(users, passwords, config.admin).create,
            KeyChanges(SigningKeyLog(database, pseudonyms), keys.in_use(pseudonyms), auth_metrics).tell,
            relay.start,
            pruning.start,
        ],
        on_stop=[pruning.stop, relay.stop, passwords.close, database.close, link.close],
    )
