"""The client through which a service calls a neighbour."""

import logging
import time
from collections.abc import Mapping
from types import NoneType
from typing import Any, TypeVar, cast

import httpx
import msgspec

from shared.deadline import HEADER as TIME_LIMIT
from shared.deadline import DeadlineExceeded, remaining
from shared.http.breaker import CircuitBreaker, State
from shared.http.budget import RetryBudget
from shared.http.bulkhead import Bulkhead
from shared.http.failures import (
    Busy,
    CallFailure,
    CircuitOpen,
    Rejected,
    Unavailable,
    UnusableAnswer,
    retry_after,
    told,
)
from shared.http.retries import retrying
from shared.http.transport import CONNECT_SECONDS, MOST_IDLE, Transport
from shared.responses import ErrorEnvelope
from shared.telemetry.calls import CALL_DURATIONS, CALLS
from shared.telemetry.context import current_request, is_recorded
from shared.telemetry.spans import call_span, note_answer
from shared.telemetry.tracing import inject_trace_context

T = TypeVar("T")

ATTEMPT_SECONDS = 2.0
BUDGET_SECONDS = 4.0
MARGIN_SECONDS = 0.05
"""What is kept of a request's time limit for answering it after a call has failed."""

MOST_UNDER_WAY = MOST_IDLE
PLACE_SECONDS = 0.2
"""How long a call waits for others to end when so many are under way."""

logger = logging.getLogger("gerai.http")

_TOO_MANY_REQUESTS = 429
_UNAVAILABLE = frozenset({_TOO_MANY_REQUESTS, 502, 503, 504})


class ServiceClient:
    """Speaks HTTP with one neighbour.

    A call takes four seconds at most, or what is left of the request's own time limit, which is passed on.
    Within them, idempotent calls are tried up to three times, with full jitter, as long as retries stay few
    among all calls; others only when they were never sent. No more than 64 calls are under way; while most of
    them fail, none is sent.
    """

    def __init__(
        self,
        service: str,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._service = service
        self.breaker = breaker or CircuitBreaker(on_change=self._tell_state)
        self.bulkhead = Bulkhead(MOST_UNDER_WAY)
        self._budget = RetryBudget()
        self._http = httpx.AsyncClient(
            base_url=base_url,
            auth=auth,
            transport=transport or Transport(),
            timeout=_limits(ATTEMPT_SECONDS),
            follow_redirects=False,
        )
        CALLS.know(service)
        self._note_state(self.breaker.state)

    async def get(self, path: str, type_: type[T], params: Mapping[str, str] | None = None) -> T:
        """Return the answer of GET `path` as `type_`.

        Raises:
            Rejected: for a 4xx answer.
            ServiceUnavailable: when the neighbour cannot be reached, says it cannot serve, or keeps failing.
            GatewayTimeout: when it does not answer in time; DeadlineExceeded, when no time is left to ask.
            BadGateway: when its answer cannot be used.
        """
        return await self._call("GET", path, type_, repeatable=True, params=params)

    async def post_form(
        self, path: str, fields: Mapping[str, str], type_: type[T], *, auth: httpx.Auth | None = None
    ) -> T:
        """Return the answer of a form sent to `path` as `type_`; raises as `get` does."""
        own = {"auth": auth} if auth else {}
        return await self._call("POST", path, type_, repeatable=False, data=fields, **own)

    async def put(self, path: str, type_: type[T], body: object) -> T:
        """Return the answer of PUT `path` with `body` as JSON; `NoneType` is that of no answer (204).

        Raises as `get` does.
        """
        return await self._call("PUT", path, type_, repeatable=True, **_json(body))

    async def delete(self, path: str, type_: type[T], body: object = None) -> T:
        """Return the answer of DELETE `path`, sent without a body when that is None, else as `put` does."""
        arguments = {} if body is None else _json(body)
        return await self._call("DELETE", path, type_, repeatable=True, **arguments)

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def _call(self, method: str, path: str, type_: type[T], *, repeatable: bool, **arguments: Any) -> T:  # noqa: ANN401 - httpx's own keywords
        seconds = _seconds()
        ends = time.monotonic() + seconds
        headers = _request_id() | arguments.pop("headers", {})
        request = {"method": method, "url": path, "headers": headers, **arguments}
        self._budget.deposit()
        attempts = retrying(self._service, self._budget, seconds, repeatable=repeatable)
        try:
            return await attempts(self._attempt, request, type_, ends)
        except (CallFailure, httpx.RequestError) as failure:
            raise told(self._service, failure) from failure

    async def _attempt(self, request: dict[str, Any], type_: type[T], ends: float) -> T:
        permit, failed = self._enter(), None
        began = time.monotonic()
        try:
            answer = await self._exchange(request, type_, ends)
            failed = False
        except Exception as error:
            failed = _is_failure(error, ends - began)
            raise
        else:
            return answer
        finally:
            self.breaker.leave(permit, failed)

    def _enter(self) -> int:
        try:
            return self.breaker.enter()
        except CircuitOpen:
            CALLS.count("short_circuited", self._service)
            raise

    async def _exchange(self, request: dict[str, Any], type_: type[T], ends: float) -> T:
        try:
            async with self.bulkhead.place(min(PLACE_SECONDS, ends - time.monotonic())):
                limit = min(ATTEMPT_SECONDS, ends - time.monotonic())
                if limit <= 0:
                    raise httpx.PoolTimeout("no time is left for the call")
                request["headers"][TIME_LIMIT] = str(max(1, int(limit * 1000)))
                response = await self._send(request, limit)
        except Busy:
            CALLS.count("rejected", self._service)
            raise
        return _decode(response, type_)

    async def _send(self, request: dict[str, Any], limit: float) -> httpx.Response:
        began, status = time.perf_counter(), ""
        try:
            response = await self._recorded(request, limit)
            status = response.status_code
            return response
        finally:
            labels = self._service, request["method"], status
            CALL_DURATIONS.observe(labels, time.perf_counter() - began)

    async def _recorded(self, request: dict[str, Any], limit: float) -> httpx.Response:
        if not is_recorded():
            inject_trace_context(request["headers"])
            return await self._http.request(timeout=_limits(limit), **request)
        with call_span(request["method"], self._service, str(self._http.base_url), request["url"]) as span:
            inject_trace_context(request["headers"])
            response = await self._http.request(timeout=_limits(limit), **request)
            note_answer(span, response.status_code)
            return response

    def _note_state(self, state: State) -> None:
        CALLS.breakers[self._service] = state

    def _tell_state(self, state: State) -> None:
        self._note_state(state)
        level = logging.WARNING if state is State.OPEN else logging.INFO
        logger.log(level, "The circuit to the %s service is %s", self._service, state.name.lower())


def _seconds() -> float:
    left = remaining()
    if left is None:
        return BUDGET_SECONDS
    if left <= MARGIN_SECONDS:
        raise DeadlineExceeded
    return min(BUDGET_SECONDS, left - MARGIN_SECONDS)


def _limits(seconds: float) -> httpx.Timeout:
    return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def _decode(response: httpx.Response, type_: type[T]) -> T:
    status = response.status_code
    if status in _UNAVAILABLE:
        raise Unavailable(status, retry_after(response.headers.get("retry-after")))
    try:
        if response.is_success:
            return cast("T", None) if type_ is NoneType else msgspec.json.decode(response.content, type=type_)
        if response.is_client_error:
            envelope = msgspec.json.decode(response.content, type=ErrorEnvelope)
            raise Rejected(status, envelope.error.code, envelope.message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnusableAnswer(f"{status} with a body that cannot be read") from error
    raise UnusableAnswer(f"status {status}")


def _is_failure(error: Exception, seconds: float) -> bool | None:
    """Tell whether an attempt that had `seconds` shows the neighbour failing; None if it says nothing."""
    if isinstance(error, httpx.TimeoutException):
        # What callers allow too little time for is no fault of the neighbour's.
        return True if seconds >= ATTEMPT_SECONDS / 2 else None
    if isinstance(error, Unavailable):
        return True if error.status != _TOO_MANY_REQUESTS else None
    return True if isinstance(error, httpx.RequestError | UnusableAnswer) else None


def _json(body: object) -> dict[str, Any]:
    return {"content": msgspec.json.encode(body), "headers": {"Content-Type": "application/json"}}


def _request_id() -> dict[str, str]:
    request = current_request()
    return {"X-Request-ID": request.request_id} if request else {}
