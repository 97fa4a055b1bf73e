"""One HTTP/1.1 connection to a service: asyncio's transport, llhttp's parser (PyPI `httptools`).

docs/decisions/0010-gateway-connections.md says why the gateway does not use a client library.
"""

import asyncio
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.constants import MOST_BUFFERED_BYTES, SMALL_BODY_BYTES
from gateway.headers import OWN_OF_ANSWER, RawHeaders, for_client
from shared.protocol import GatheringTransport

_UNASKED = "the service sent more than one answer"


class UpstreamFailure(Exception):
    """The exchange ended without a usable answer; the text says how."""


class Connection(asyncio.Protocol):
    """Carries one exchange at a time: `begin`, perhaps `write`, then `answer`, then `take` or `read`.

    `status` and `headers` are those of the answer, as its client is to see them. One task at a time may wait.
    Any failure, `abort` included, closes the connection, so that the service sees that nobody waits for it.
    """

    _transport: asyncio.Transport
    _parser: HttpResponseParser

    def __init__(self, open_connections: "set[Connection]") -> None:
        self.status = 0
        self.headers: RawHeaders = []
        self.answered = False
        self.complete = True
        self._own: dict[bytes, bytes] = {}
        self._is_short = False
        self.idle_since = 0.0
        self._open_connections = open_connections
        self._loop = asyncio.get_running_loop()
        self._lost = False
        self._keeps_alive = True
        self._bodiless = False
        self._fully_sent = True
        self._failure: Exception | None = None
        self._pieces: list[bytes] = []
        self._buffered = 0
        self._reading_paused = False
        self._writing_paused = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def reusable(self) -> bool:
        """Whether another exchange may begin: the last one ended well and both sides stay connected."""
        return self.complete and self._fully_sent and self._keeps_alive and not self._lost

    def begin(self, data: bytes, *, bodiless: bool, fully_sent: bool) -> None:
        """Send the beginning of a request, or all of it when `fully_sent`.

        The answer is `bodiless` when the request was HEAD (RFC 9112, section 6.3).
        """
        self.answered = self.complete = False
        self._bodiless = bodiless
        self._fully_sent = fully_sent
        self._forget_headers()
        self._parser = HttpResponseParser(self)
        self._transport.write(data)

    async def write(self, data: bytes) -> bool:
        """Send more of the request, as fast as the service takes it; False once it has answered already."""
        if self._lost or self._failure:
            raise self._reason()
        if self.answered:
            return False
        self._transport.write(data)
        while self._writing_paused and not self.answered:
            await self._news()
        return True

    def finish(self) -> None:
        """Note that the whole request was sent."""
        self._fully_sent = True

    async def answer(self) -> None:
        """Wait for the answer: for all of a short one, for the head of any other.

        Raises:
            UpstreamFailure: when the connection ends without it, or what arrives is no HTTP.
        """
        while not (self.complete or (self.answered and not self._is_short)):
            await self._news()

    async def read(self) -> bytes:
        """Return the next piece of the answer's body; empty at its end."""
        while not self._pieces and not self.complete:
            await self._news()
        return self.take()

    def abort(self, reason: Exception) -> None:
        """End the exchange: whoever waits gets `reason`, the service sees the connection closed."""
        if self._failure is None:
            self._failure = reason
        self._transport.abort()
        self._wake()

    def close(self) -> None:
        """Close the connection; nothing may be waiting on it."""
        self._transport.abort()

    def take(self) -> bytes:
        """Return what has arrived of the body since the last time, and let more come."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._buffered = 0
        if self._reading_paused and not self._lost:
            self._reading_paused = False
            self._transport.resume_reading()
        return body

    def _ends_with_connection(self) -> bool:
        """Tell whether the body is as long as its connection lasts (RFC 9112, section 6.3)."""
        return b"content-length" not in self._own and b"transfer-encoding" not in self._own

    def _forget_headers(self) -> None:
        self.headers = []
        self._own = {}
        self._is_short = False

    def _news(self) -> asyncio.Future[None]:
        """Return what is done as soon as something has happened on the connection."""
        if self._lost or self._failure:
            raise self._reason()
        self._waiter = self._loop.create_future()
        return self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter and not waiter.done():
            if self._failure:
                waiter.set_exception(self._failure)
            else:
                waiter.set_result(None)

    def _reason(self) -> Exception:
        return self._failure or UpstreamFailure("the service closed the connection")

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, behind one that sends after other requests' turns, and count as open."""
        self._transport = GatheringTransport(cast("asyncio.Transport", transport), self._loop)
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse what the service sent; anything sent unasked closes the connection."""
        if self.complete:
            self._transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._keeps_alive = False
            if not self.complete:
                self.abort(UpstreamFailure(f"the service's answer is not valid HTTP: {error}"))
        if self.complete or (self.answered and not self._is_short):
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end; it completes an answer whose length is given by it, and breaks any other."""
        self._lost = True
        if not self.complete:
            if exc is None and self.answered and not self._failure and self._ends_with_connection():
                self.complete = True
            else:
                self._failure = self._failure or UpstreamFailure("the service closed the connection")
        self._wake()
        self._open_connections.discard(self)

    def pause_writing(self) -> None:
        """Remember that the service reads slower than the client sends."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """Let the writer go on."""
        self._writing_paused = False
        self._wake()

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Refuse a second answer to one request."""
        if self.complete:
            raise UpstreamFailure(_UNASKED)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Sort a header; trailers are not forwarded (RFC 9110, section 6.5.1)."""
        if self.answered:
            return
        name = name.lower()
        if name in OWN_OF_ANSWER:
            self._own[name] = self._own[name] + b"," + value if name in self._own else value
            return
        if name == b"content-length":
            self._is_short = int(value) <= SMALL_BODY_BYTES
            self._own[name] = value
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Keep the status; interim answers (1xx) are for this hop alone."""
        status = self._parser.get_status_code()
        if status < 200:
            self._forget_headers()
            return
        self.status = status
        if status == 304 or b"connection" in self._own:
            self.headers = for_client(self.headers, self._own.get(b"connection", b""), status)
        self.answered = True
        self._keeps_alive = self._parser.should_keep_alive()
        self.complete = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keep a piece, and stop reading while too much waits for the client."""
        if self._bodiless:
            raise UpstreamFailure(_UNASKED)
        self._pieces.append(body)
        self._buffered += len(body)
        if self._buffered > MOST_BUFFERED_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end of the answer."""
        if self.answered:
            self.complete = True
