"""What Prometheus reads of backups: files, for node_exporter's textfile collector, or told by HTTP."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

_HELP = {
    "backup_last_success_timestamp_seconds": "When the last backup that succeeded ended.",
    "backup_duration_seconds": "How long the last backup took.",
    "backup_size_bytes": "Size of the last full backup as it is kept.",
    "backup_archived_through_timestamp_seconds": "The time before which every change is archived.",
    "backup_restore_last_success_timestamp_seconds": "When the last restore that succeeded ended.",
    "backup_restore_duration_seconds": "How long the last restore took.",
    "backup_drill_recovery_point_seconds": "What a loss at the last drill would have cost.",
    "backup_drill_recovery_time_seconds": "How long the last drill took until the data could be used again.",
}


def write(file: Path, values: Mapping[str, float]) -> None:
    """Replace the file, so that who reads it sees the old or the new values and nothing between."""
    lines = [
        f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n{name} {value:.3f}\n"
        for name, value in values.items()
    ]
    draft = file.with_name(f".{file.name}.draft")
    draft.write_text("".join(lines))
    draft.chmod(0o644)
    draft.replace(file)


@contextmanager
def served(folder: Path, port: int) -> Generator[None]:
    """Tell what all files of the folder hold at `/metrics` on `port`, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == "/metrics"
            body = b"".join(file.read_bytes() for file in sorted(folder.glob("*.prom"))) if found else b""
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - http.server's name
            pass  # a line for each scrape tells nothing

    with ThreadingHTTPServer(("", port), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
