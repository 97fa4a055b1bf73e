"""The forwarding path: one ASGI callable, in front of everything the gateway answers itself."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache

from litestar.types import HTTPResponseStartEvent, HTTPScope, Receive, Send
from opentelemetry.trace import Span

from gateway import body
from gateway.connection import Connection, UpstreamFailure
from gateway.errors import AmbiguousPath, ClientGone
from gateway.headers import TIME_LIMIT, RawHeaders, split_request
from gateway.routes import Route, RouteTable, is_plain_path, is_plain_query
from gateway.upstream import Upstream
from gateway.watch import Exchange, Watch
from shared.deadline import DeadlineExceeded, seconds_of
from shared.errors import BadGateway, GeraiError, NotFound
from shared.responses import error_body
from shared.security.tokens import TokenVerifier, bearer_token
from shared.telemetry.calls import CALL_DURATIONS
from shared.telemetry.context import current_request, current_trace_id, is_recorded, note_user
from shared.telemetry.labels import method_label
from shared.telemetry.refusals import count_refusal
from shared.telemetry.spans import call_span, note_answer
from shared.telemetry.tracing import inject_trace_context

logger = logging.getLogger("gerai.gateway")

_UNRECORDED = nullcontext()

NOSNIFF = (b"x-content-type-options", b"nosniff")


class Proxy:
    """Forwards each request to the service of its route, and the answer back.

    Nothing is sent before the token of a protected route is verified. A request is sent once.
    """

    def __init__(
        self, routes: RouteTable, upstreams: Mapping[str, Upstream], verifier: TokenVerifier
    ) -> None:
        self._routes = routes
        self._upstreams = upstreams
        self._verifier = verifier
        self._watch = Watch()

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Answer one request; every failure before the answer begins is an envelope."""
        try:
            await self._forward(scope, receive, send)
        except GeraiError as error:
            await send_error(send, error)
        except ClientGone:
            pass

    async def _forward(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        route = self._route(scope)
        passing, own = split_request(scope["headers"])
        if not route.public:
            token = bearer_token(own.get(b"authorization", b"").decode("latin-1"))
            caller = await self._verifier.verify(token)
            note_user(caller.subject, caller.client_uuid)
        framed = body.framing(own, route)
        small = framed.is_small
        first = await body.read_small(receive, route) if small and framed.length else b""
        seconds = _seconds(route, own)
        upstream = self._upstreams[route.service]
        with _recorded_call(scope, route, upstream) as span:
            head = _request_head(scope, upstream.authority, passing, own, framed, seconds)
            connection, began = None, time.perf_counter()
            try:
                connection = upstream.idle() or await upstream.connect()
                connection.begin(head + first, bodiless=scope["method"] == "HEAD", fully_sent=small)
                if not small:
                    await body.stream(connection, receive, framed, route)
                exchange = self._watch.begin(connection, receive, route, seconds)
                try:
                    await _answer(exchange, send)
                finally:
                    self._watch.end(exchange)
                if span:
                    note_answer(span, connection.status)
            except UpstreamFailure as failure:
                logger.warning("The %s service failed: %s", route.service, failure)
                raise BadGateway(service=route.service) from failure
            finally:
                _note_call(route, scope["method"], connection, time.perf_counter() - began)
                if connection:
                    upstream.release(connection)

    def _route(self, scope: HTTPScope) -> Route:
        path, query = scope["raw_path"], scope["query_string"]
        if not is_plain_path(path) or (query and not is_plain_query(query)):
            raise AmbiguousPath
        route = self._routes.find(path)
        if route is None:
            raise NotFound(path=scope["path"])
        scope["path_template"] = route.prefix
        return route


def _note_call(route: Route, method: str, connection: Connection | None, seconds: float) -> None:
    status = connection.status if connection and connection.answered else ""
    CALL_DURATIONS.observe((route.service, method_label(method), status), seconds)


def _recorded_call(scope: HTTPScope, route: Route, upstream: Upstream) -> AbstractContextManager[Span | None]:
    """Surround a call to a service with its span, where the request is recorded."""
    if not is_recorded():
        return _UNRECORDED
    return call_span(scope["method"], route.service, upstream.url, scope["path"])


async def send_error(send: Send, error: GeraiError) -> None:
    """Answer with the envelope of `error`."""
    count_refusal(error)
    content = error_body(error, current_trace_id())
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        NOSNIFF,
        *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})


async def _answer(exchange: Exchange, send: Send) -> None:
    """Pass the answer on: a short one whole, so that a broken one is never begun, any other as it comes."""
    connection = exchange.connection
    await connection.answer()
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": connection.status,
        "headers": [*connection.headers, NOSNIFF],
    }
    if connection.complete:
        await send(start)
        await send({"type": "http.response.body", "body": connection.take(), "more_body": False})
    else:
        exchange.answered = True
        await send(start)
        await _stream(connection, exchange.route, send)


async def _stream(connection: Connection, route: Route, send: Send) -> None:
    """Send the answer's pieces; one that breaks off is left unfinished, for which the server aborts."""
    more = True
    try:
        while more:
            async with asyncio.timeout(route.seconds):
                piece = await connection.read()
            more = bool(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
    except (UpstreamFailure, TimeoutError) as failure:
        logger.warning("The %s service broke off its answer: %s", route.service, failure)


def _request_head(
    scope: HTTPScope,
    authority: bytes,
    passing: RawHeaders,
    own: Mapping[bytes, bytes],
    framed: body.Framing,
    seconds: float,
) -> bytes:
    query, client = scope["query_string"], scope["client"]
    forwarding = _forwarding_lines(client[0] if client else "unknown", scope["scheme"], own.get(b"host", b""))
    parts = [
        scope["method"].encode(),
        b" ",
        scope["raw_path"] + b"?" + query if query else scope["raw_path"],
        b" HTTP/1.1\r\nhost: ",
        authority,
        forwarding,
        _time_limit_line(seconds),
        _context_lines(),
        framed.header,
    ]
    for name, value in passing:
        parts += (b"\r\n", name, b": ", value)
    if b"authorization" in own:
        parts += (b"\r\nauthorization: ", own[b"authorization"])
    parts.append(b"\r\n\r\n")
    return b"".join(parts)


def _seconds(route: Route, own: Mapping[bytes, bytes]) -> float:
    """Return what the service has for its answer: the route's seconds, or less if the client wants."""
    header = own.get(TIME_LIMIT)
    if header is None:
        return route.seconds
    seconds = min(seconds_of(header), route.seconds)
    if not seconds:
        raise DeadlineExceeded
    return seconds


@lru_cache(maxsize=64)
def _time_limit_line(seconds: float) -> bytes:
    return b"\r\n%s: %d" % (TIME_LIMIT, seconds * 1000)


@lru_cache(maxsize=64)
def _forwarding_lines(client: str, scheme: str, host: bytes) -> bytes:
    text = f"\r\nx-forwarded-for: {client}\r\nx-forwarded-proto: {scheme}\r\nx-forwarded-host: "
    return text.encode() + host


def _context_lines() -> bytes:
    """Return the request id and trace context as header lines."""
    request = current_request()
    text = f"\r\nx-request-id: {request.request_id}" if request else ""
    if request and request.traceparent and not request.tracestate:  # nothing is recorded: the usual case
        return f"{text}\r\ntraceparent: {request.traceparent}".encode()
    headers: dict[str, str] = {}
    inject_trace_context(headers)
    return "".join([text, *(f"\r\n{name}: {value}" for name, value in headers.items())]).encode()
