"""Alertmanager in the compose stack: whom it tells, by which secrets there are."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.support.launcher import until
from tests.support.stack import Stack

LIMIT_SECONDS = 60
OBSERVABILITY = ("--profile", "observability")
SLACK, PAGERDUTY = "slack_webhook_url", "pagerduty_routing_key"
ALERT = {
    "labels": {"alertname": "ServiceDown", "severity": "page", "service": "store"},
    "annotations": {"summary": "The store service is down", "description": "None of it answers."},
}

Told = tuple[int, list[dict[str, Any]]]


@pytest.fixture
def told() -> Generator[Told]:
    """The port of somebody to tell, and what was told."""
    heard: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

    with ThreadingHTTPServer(("", 0), Listener) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, heard
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("secrets", "receivers"),
    [((), {"nobody"}), ((SLACK,), {"page", "ticket"}), ((PAGERDUTY,), {"page", "ticket"})],
)
def test_it_starts_with_those_to_tell_that_it_has_secrets_for(
    stack: Stack, tmp_path: Path, secrets: Sequence[str], receivers: set[str]
) -> None:
    with _alertmanager(stack, _secrets(tmp_path, **dict.fromkeys(secrets, "http://127.0.0.1:9/"))) as http:
        assert {each["name"] for each in http.get("receivers").json()} == receivers


def test_slack_hears_of_an_alert_without_pagerduty(stack: Stack, tmp_path: Path, told: Told) -> None:
    port, heard = told
    somebody = f"http://{stack.container('gateway').host}:{port}/"
    with _alertmanager(stack, _secrets(tmp_path, **{SLACK: somebody})) as http:
        assert http.post("alerts", json=[ALERT]).status_code == 200
        until(lambda: bool(heard), LIMIT_SECONDS)
    [attachment] = heard[0]["attachments"]
    assert attachment["title"] == "FIRING: The store service is down"
    assert attachment["text"].startswith("None of it answers.")


def _secrets(folder: Path, **texts: str) -> Path:
    """Return the folder with these files, which Alertmanager's own user can read."""
    folder.chmod(0o755)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


@contextmanager
def _alertmanager(stack: Stack, secrets: Path) -> Generator[httpx.Client]:
    """Run it with a folder of secrets until the block ends; the client is of its API."""
    stack.up_alone("alertmanager", *OBSERVABILITY, ALERTMANAGER_SECRETS=str(secrets))
    try:
        address = stack.container("alertmanager").address
        with httpx.Client(base_url=f"http://{address}:9093/api/v2/") as client:
            yield client
    finally:
        stack.compose(*OBSERVABILITY, "rm", "--stop", "--force", "alertmanager")
