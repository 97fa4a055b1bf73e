"""Calls to neighbouring services: time limits, retries of what may be repeated, one mapping of failures."""

from collections.abc import Mapping
from datetime import timedelta
from types import NoneType
from typing import Any, TypeVar, cast

import httpx
import msgspec
from pyreqwest.client import ClientBuilder
from pyreqwest.compatibility.httpx import HttpxTransport
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from shared.errors import BadGateway, GatewayTimeout, GeraiError, ServiceUnavailable
from shared.responses import ErrorEnvelope
from shared.telemetry.context import current_request
from shared.telemetry.tracing import inject_trace_context

T = TypeVar("T")

CONNECT_SECONDS = 0.5
ATTEMPT_SECONDS = 2.0
BUDGET_SECONDS = 4.0
ATTEMPTS = 3

_RETRYABLE_STATUS = frozenset({502, 503, 504})


class Rejected(Exception):
    """The neighbour understood and refused: a 4xx answer with its code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ServiceClient:
    """Speaks HTTP with one neighbour.

    Idempotent requests are repeated up to three times with full jitter inside a budget of four seconds;
    others only when they were never sent.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._service = service
        self._http = httpx.AsyncClient(
            base_url=base_url,
            auth=auth,
            transport=transport or _transport(),
            # The transport adds the four limits up into one for the whole attempt.
            timeout=httpx.Timeout(connect=None, read=ATTEMPT_SECONDS, write=None, pool=None),
            follow_redirects=False,
        )

    async def get(self, path: str, type_: type[T], params: Mapping[str, str] | None = None) -> T:
        """Return the answer of GET `path` as `type_`.

        Raises:
            Rejected: for a 4xx answer.
            ServiceUnavailable: when the neighbour cannot be reached or says it cannot serve.
            GatewayTimeout: when it does not answer in time.
            BadGateway: when its answer cannot be read.
        """
        return self._decode(await self._send("GET", path, repeatable=True, params=params), type_)

    async def post_form(
        self, path: str, fields: Mapping[str, str], type_: type[T], *, auth: httpx.Auth | None = None
    ) -> T:
        """Return the answer of a form sent to `path` as `type_`; raises as `get` does."""
        return self._decode(await self._send("POST", path, repeatable=False, data=fields, auth=auth), type_)

    async def put(self, path: str, type_: type[T], body: object) -> T:
        """Return the answer of PUT `path` with `body` as JSON; `NoneType` is that of no answer (204).

        Raises as `get` does.
        """
        return self._decode(await self._send("PUT", path, repeatable=True, **_json(body)), type_)

    async def delete(self, path: str, type_: type[T], body: object = None) -> T:
        """Return the answer of DELETE `path`, sent without a body when that is None, else as `put` does."""
        arguments = {} if body is None else _json(body)
        return self._decode(await self._send("DELETE", path, repeatable=True, **arguments), type_)

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _send(self, method: str, path: str, *, repeatable: bool, **arguments: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own keywords
        if arguments.get("auth") is None:
            arguments.pop("auth", None)
        attempts = AsyncRetrying(
            retry=retry_if_exception(_may_repeat if repeatable else _never_sent),
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(timedelta(seconds=BUDGET_SECONDS)),
            reraise=True,
        )
        try:
            return await attempts(self._attempt, method, path, arguments)
        except httpx.TransportError as error:
            raise self._failure(error) from error

    async def _attempt(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response:
        headers = _context_headers() | arguments.get("headers", {})
        response = await self._http.request(method, path, **{**arguments, "headers": headers})
        if response.status_code in _RETRYABLE_STATUS:
            raise ServiceUnavailable(service=self._service)
        return response

    def _decode(self, response: httpx.Response, type_: type[T]) -> T:
        try:
            if response.is_success and type_ is NoneType:
                return cast("T", None)
            if response.is_success:
                return msgspec.json.decode(response.content, type=type_)
            if response.is_client_error:
                envelope = msgspec.json.decode(response.content, type=ErrorEnvelope)
                raise Rejected(response.status_code, envelope.error.code, envelope.message)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadGateway(service=self._service) from error
        raise BadGateway(service=self._service)

    def _failure(self, error: httpx.TransportError) -> GeraiError:
        if isinstance(error, httpx.TimeoutException):
            return GatewayTimeout(service=self._service)
        return ServiceUnavailable(service=self._service)


def _transport() -> httpx.AsyncBaseTransport:
    # httpcore loses pool slots when requests are cancelled (https://github.com/encode/httpcore/issues/1093).
    client = (
        ClientBuilder()
        .connect_timeout(timedelta(seconds=CONNECT_SECONDS))
        .pool_idle_timeout(timedelta(seconds=20))
        .no_proxy()
        .build()
    )
    return HttpxTransport(client)


def _json(body: object) -> dict[str, Any]:
    return {"content": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}


def _context_headers() -> dict[str, str]:
    headers: dict[str, str] = {}
    inject_trace_context(headers)
    request = current_request()
    if request:
        headers["X-Request-ID"] = request.request_id
    return headers


def _never_sent(error: BaseException) -> bool:
    # Not ConnectTimeout: pyreqwest 0.15 reports every timeout before the answer's head as one.
    return isinstance(error, httpx.ConnectError)


def _may_repeat(error: BaseException) -> bool:
    return isinstance(error, httpx.TransportError | ServiceUnavailable) and not isinstance(
        error, httpx.PoolTimeout
    )
