"""What a job reaches by HTTP: GitHub, which vouches for it, and the release that it asks in the end."""

from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

REQUEST_TOKEN = "token-of-the-job"
IDENTITY_TOKEN = "token-of-github"

_IDENTITY = "/token?job=1&audience=sts.amazonaws.com"
_STATUSES = {"/healthz": 200, "/swagger/index.html": 200, "/v1/stores": 401}


@contextmanager
def outside() -> Generator[str]:
    """Serve it until the block ends; yields its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"bearer {REQUEST_TOKEN}"
        if self.path == _IDENTITY and known:
            self._answer(200, f'{{"value": "{IDENTITY_TOKEN}"}}')
        else:
            self._answer(_STATUSES.get(self.path, 404))

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Keep quiet."""
