"""The first admin's password, which auth uses once: when it makes the account."""

import json

from infra.embedded import private
from infra.embedded.private import Secrets
from infra.embedded.settings import Settings
from infra.embedded.state import State


def password(settings: Settings, secrets: Secrets, cluster_id: str) -> str:
    """Return the password that the admin's account has, or will be made with."""
    name = _name(settings, cluster_id)
    wanted = settings.admin_password.reveal() if settings.admin_password else None
    return secrets.known(name) or wanted or secrets.get("admin")


def differs(settings: Settings, secrets: Secrets, cluster_id: str) -> bool:
    """Tell whether ADMIN_PASSWORD is not what the existing account was made with."""
    known = secrets.known(_name(settings, cluster_id))
    return bool(known and settings.admin_password and known != settings.admin_password.reveal())


def publish(state: State, settings: Settings, chosen: str) -> None:
    """Write the password where a person finds it, and a sign-in request with it."""
    private.write(state.admin_password, f"{chosen}\n")
    private.write(state.sign_in, json.dumps({"email": settings.admin_email, "password": chosen}))


def remember(settings: Settings, secrets: Secrets, cluster_id: str, chosen: str) -> None:
    """Note that the account now exists with this password."""
    secrets.keep(_name(settings, cluster_id), chosen)


def _name(settings: Settings, cluster_id: str) -> str:
    return f"admin {settings.admin_email} in {cluster_id}"
