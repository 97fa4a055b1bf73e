"""What `helm test` runs in a pod: sign in at the gateway, then make a client, read it and delete it again."""

import json
import os
import urllib.request
import uuid
from typing import Any

SECONDS = 15


def ask(method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Return the envelope of the answer; an error's status raises, and ends the test."""
    request = urllib.request.Request(
        os.environ["GATEWAY_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        content = answer.read()
        print(method, path, answer.status)
        return json.loads(content) if content else {}


prefix = os.environ["PREFIX"]
credentials = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}
ask("GET", "/readyz")
session = ask("POST", f"{prefix}/auth/login", credentials)["data"]
authorized = {"Authorization": f"Bearer {session['access_token']}"}
try:
    for listing in ("users", "master-client", "stores"):
        ask("GET", f"{prefix}/{listing}?limit=1", headers=authorized)
    if os.environ["WRITES"] == "yes":
        name = f"helm-test-{uuid.uuid4()}"
        made = ask(
            "POST",
            f"{prefix}/master-client",
            {"name": name, "email": f"{name}@gerai.example"},
            {**authorized, "Idempotency-Key": name},
        )["data"]
        path = f"{prefix}/master-client/{made['uuid']}"
        try:
            read = ask("GET", path, headers=authorized)["data"]
            if read["name"] != name:
                raise SystemExit(f"{path} answers with the name {read['name']!r}, not {name!r}")
        finally:
            ask("DELETE", path, headers=authorized)
finally:
    ask("POST", f"{prefix}/auth/logout", {"refresh_token": session["refresh_token"]}, authorized)
