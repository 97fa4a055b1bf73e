"""uvicorn's HTTP/1.1 protocol, held to what our applications rely on."""

import asyncio
from collections.abc import Iterable
from secrets import token_hex
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.errors import REPEAT, GeraiError, InvalidInput, ServiceUnavailable
from shared.responses import error_body
from shared.telemetry.context import request_id_from

MOST_HEAD_BYTES = 64 * 1024
"""A request line with its headers is refused once about this much has arrived without its end."""

LINGER_SECONDS = 0.2
"""How long a stopping server still expects a request on an open connection."""

_MOST_GATHERED_BYTES = 64 * 1024


class MalformedRequest(InvalidInput):
    """What arrived is no HTTP request."""

    code = "MALFORMED_REQUEST"
    template = "The request is not valid HTTP/1.1."


class HeadTooLarge(GeraiError):
    """The request line and headers do not end (RFC 6585, section 5)."""

    status = 431
    code = "HEAD_TOO_LARGE"
    template = "The request line and headers must not be larger than {limit} bytes."


class Stopping(ServiceUnavailable):
    """The process ends before the request could."""

    code = "STOPPING"
    template = "This process is stopping and could not finish the request. " + REPEAT


class HttpProtocol(HttpToolsProtocol):
    """Bounds the size of a request's head, ignores trailers, and answers what is no HTTP in the envelope.

    uvicorn itself sets no bound with httptools, and adds trailers to the headers
    (https://github.com/encode/uvicorn, `on_header`), where anyone could smuggle one past a front server.
    """

    _head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # type: ignore[override]
        """Keep the transport behind one that gathers writes."""
        super().connection_made(GatheringTransport(cast("asyncio.Transport", transport), self.loop))

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; a head is measured from the second piece on."""
        before = self.headers
        super().data_received(data)
        if self.headers is _NOWHERE or self.headers is not before:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HeadTooLarge(limit=MOST_HEAD_BYTES))

    def on_headers_complete(self) -> None:
        """Start to serve the request; headers that arrive later are trailers, and lead nowhere."""
        super().on_headers_complete()
        self.headers = _NOWHERE

    def end_with_answer(self) -> None:
        """Keep the connection no longer than for the answer under way."""
        if self._is_answering():
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """End the connection: after the answer under way, or when no request comes any more.

        A client that does not know yet may be sending one, on a connection that it has just made above all;
        closed at once, it would be reset (https://github.com/Kludex/uvicorn/issues/2757).
        """
        self.end_with_answer()
        if not self._is_answering():
            self.loop.call_later(LINGER_SECONDS, self._close_unless_answering)

    def give_up(self) -> None:
        """End the connection now; a request that has no answer yet is told to come again."""
        if self._is_answering() and not self.cycle.response_started:
            self._refuse(Stopping())
        else:
            self.transport.abort()

    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _close_unless_answering(self) -> None:
        if not self._is_answering():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer that `msg` was no HTTP."""
        del msg
        self._refuse(MalformedRequest())

    def _refuse(self, error: GeraiError) -> None:
        body = error_body(error, token_hex(16))
        lines = "".join(f"{name.lower()}: {value}\r\n" for name, value in error.headers.items())
        head = (
            b"content-type: application/json\r\ncontent-length: %d\r\nx-content-type-options: nosniff\r\n"
            b"x-request-id: %s\r\n%sconnection: close\r\n\r\n"
            % (len(body), self._request_id(), lines.encode())
        )
        self.transport.write(STATUS_LINE[error.status] + head + body)
        self.transport.close()

    def _request_id(self) -> bytes:
        """Return that of the request that is being served; of what never became one, a new one."""
        headers = dict(self.scope["headers"]) if self._is_answering() else {}
        return request_id_from(headers.get(b"x-request-id")).encode()


class _Nowhere(list[tuple[bytes, bytes]]):
    def append(self, _: tuple[bytes, bytes]) -> None:
        """Keep nothing."""


_NOWHERE = _Nowhere()


class GatheringTransport(asyncio.Transport):
    """Sends what is written within one turn of the event loop in one system call.

    uvicorn writes an answer's head and body apart; a system call costs as much as routing a request. Calls
    made one after the other, when the turn's other work is done, also cost less than calls in between.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def write(self, data: "bytes | bytearray | memoryview[Any]") -> None:
        """Keep `data` until the turn ends, unless that would be much."""
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(bytes(data))
        self._size += len(data)
        if self._size > _MOST_GATHERED_BYTES:
            self._flush()

    def writelines(self, list_of_data: "Iterable[bytes | bytearray | memoryview[Any]]") -> None:
        """Write each of `list_of_data`."""
        for data in list_of_data:
            self.write(data)

    def close(self) -> None:
        """Send what is gathered and close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Tell whether the transport is closing."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Pause reading."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Resume reading."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection to another protocol."""
        self._transport.set_protocol(protocol)

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's own signature
        """Return what the transport knows."""
        return self._transport.get_extra_info(name, default)

    def _flush(self) -> None:
        if self._gathered and not self._transport.is_closing():
            self._transport.writelines(self._gathered)
        self._gathered = []
        self._size = 0
