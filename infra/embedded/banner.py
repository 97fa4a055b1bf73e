"""What is printed once the platform is ready."""

import shlex

from infra.embedded.settings import Settings
from infra.embedded.state import State
from infra.embedded.variables import SERVICES


def banner(state: State, settings: Settings, seconds: float) -> str:
    """Return where everything is, a first request to paste, and how to stop."""
    gateway = settings.url("gateway")
    rows = {
        "Gateway": gateway,
        "Swagger": f"{gateway}/swagger/index.html",
        **{service: settings.url(service) for service in SERVICES},
        "PostgreSQL": _port(settings, "PostgreSQL"),
        "Redis": _port(settings, "Redis"),
        "Admin": settings.admin_email,
        "Password": f"in {state.admin_password}",
        "Logs": f"in {state.log('gateway').parent}",
    }
    lines = [f"  {name:<12}{value}" for name, value in rows.items()]
    return "\n".join(
        [
            f"\nGerai is ready after {seconds:.1f} s.\n",
            *lines,
            "\nTry it: sign in, then list stores.\n",
            first_request(state, gateway + settings.service_endpoint_v),
            f"\nStop it with Ctrl-C, or with ./taskw down elsewhere. All data stays in {state.folder}.\n",
        ]
    )


def first_request(state: State, api: str) -> str:
    """Return shell commands that sign the first admin in and list stores. They show no password."""
    json = "-H 'Content-Type: application/json'"
    body = shlex.quote(f"@{state.sign_in}")
    pick = r"""sed 's/.*"access_token" *: *"\([^"]*\)".*/\1/'"""
    return "\n".join(
        [
            f"  TOKEN=$(curl -s {json} -d {body} {api}/auth/login | {pick})",
            f'  curl -s -H "Authorization: Bearer $TOKEN" "{api}/stores?limit=3"',
        ]
    )


def _port(settings: Settings, name: str) -> str:
    return f"127.0.0.1:{settings.ports()[name]}" if name in settings.ports() else "the server you named"
