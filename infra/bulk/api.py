"""Imports as the API has them."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import httpx
import msgspec

from infra.bulk.errors import ImportFailure
from infra.seed.progress import progress

_PIECE_BYTES = 64 * 1024
_POLL_SECONDS = 0.5
_TIMEOUT = httpx.Timeout(30.0)
_MEBIBYTE = 1024 * 1024


class Credentials(NamedTuple):
    """Who imports."""

    email: str
    password: str

    @classmethod
    def of_file(cls, file: Path) -> "Credentials":
        """Read them from JSON such as `.gerai/sign-in.json`.

        Raises:
            ImportFailure: when it is not there, or not that.
        """
        try:
            return cls(**msgspec.json.decode(file.read_bytes(), type=dict[str, str]))
        except FileNotFoundError:
            raise ImportFailure(
                f"There is no {file}. Start the platform first (./taskw up), or name an --email."
            ) from None
        except (msgspec.MsgspecError, TypeError, OSError) as error:
            raise ImportFailure(f"{file} does not hold an email and a password: {error}.") from None


class Api:
    """The gateway, as one person. Open it with `with`."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self._http = httpx.Client(base_url=url, timeout=_TIMEOUT)
        self._credentials = credentials

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def bring(self, file: Path, media_type: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Send a file and return what came of its import.

        Raises:
            ImportFailure: when it cannot be read or sent, or is refused.
        """
        try:
            with file.open("rb") as content:
                size = file.stat().st_size
                location = self._sent(content, size, media_type, path, query)
        except OSError as error:
            raise ImportFailure(f"{file} cannot be read: {error.strerror}.") from None
        return self._finished(location)

    def _sent(
        self, content: BinaryIO, size: int, media_type: str, path: str, query: Mapping[str, str]
    ) -> str:
        """Send a file of so many bytes and return where its import is."""
        headers = {"Content-Type": media_type, "Content-Length": str(size), **self._token()}
        with progress(f"Sending {size / _MEBIBYTE:,.1f} MiB", max(size, 1)) as advance:

            def pieces() -> Iterator[bytes]:
                while piece := content.read(_PIECE_BYTES):
                    yield piece
                    advance(len(piece))

            answer = self._ask("POST", f"{path}/import", headers, content=pieces(), params=query)
        return answer.headers["location"]

    def _finished(self, location: str) -> dict[str, Any]:
        print("Importing ...", flush=True)
        headers, began = self._token(), time.monotonic()
        while True:
            done = self._ask("GET", location, headers).json()["data"]
            if done["state"] not in {"queued", "running"}:
                return done
            time.sleep(_POLL_SECONDS)
            if time.monotonic() - began > 600:  # tokens end after a quarter of an hour
                headers, began = self._token(), time.monotonic()

    def _token(self) -> dict[str, str]:
        answer = self._ask("POST", "/v1/auth/login", {}, json=self._credentials._asdict())
        return {"Authorization": f"Bearer {answer.json()['data']['access_token']}"}

    def _ask(self, method: str, path: str, headers: Mapping[str, str], **content: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        try:
            answer = self._http.request(method, path, headers=headers, **content)
        except httpx.HTTPError as error:
            raise ImportFailure(
                f"{self._http.base_url} cannot be reached: {str(error).rstrip('.')}."
                " Start the platform (./taskw up), or name its gateway with --url."
            ) from None
        if answer.is_success:
            return answer
        raise ImportFailure(_told(answer))


def _told(answer: httpx.Response) -> str:
    """Return why a request was refused, in lines."""
    try:
        body = answer.json()
        details = [f"  {each['field']} {each['message']}" for each in body["error"]["details"]]
        return "\n".join([body["message"], *details])
    except (ValueError, KeyError, TypeError):
        return f"The answer was {answer.status_code}."
