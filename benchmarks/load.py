"""The load generator: HTTP/1.1 connections on one epoll, each with one request under way at a time.

It checks every answer whole. On one core together with `benchmarks.upstream` it exchanges about twice as
many messages as nginx forwards, and as many as wrk, so it is the only generator.
"""

import gc
import select
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

from benchmarks.errors import BenchmarkError

CONNECTIONS = 16

_PATIENCE_SECONDS = 10
_OK = b"HTTP/1.1 200 "
_MOST_ANSWER_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Target:
    """What is asked of whom, and the body of every answer; each connection sends a token of its own."""

    port: int
    path: str
    tokens: tuple[str, ...]
    body: bytes

    def request(self, connection: int) -> bytes:
        """Return the bytes that the connection of this number sends each time."""
        token = self.tokens[connection % len(self.tokens)]
        lines = (
            f"GET {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Accept: application/json",
            f"Authorization: Bearer {token}",
        )
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(frozen=True)
class Load:
    """What a load found: how many answers came in which time, and how long each took, sorted; in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the answers did not exceed, in seconds."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]


def target(port: int, path: str, tokens: tuple[str, ...]) -> Target:
    """Ask once, and return the target with the body of that answer.

    Raises:
        BenchmarkError: the answer is not 200.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {tokens[0]}"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise BenchmarkError(f"GET {path} on port {port} answered {answer.status}: {body[:300]!r}")
    return Target(port, path, tokens, body)


def saturate(target: Target, seconds: float) -> Load:
    """Ask as fast as answers come, on every connection."""
    with _connected(target) as exchange:
        clock = time.perf_counter
        latencies: list[float] = []
        sent = dict.fromkeys(exchange.connections, clock())
        began = now = clock()
        for connection in exchange.connections:
            exchange.send(connection)
        while now < began + seconds:
            for connection in exchange.answered(_PATIENCE_SECONDS):
                now = clock()
                latencies.append(now - sent[connection])
                sent[connection] = now
                exchange.send(connection)
        return Load(now - began, sorted(latencies))


def at_rate(target: Target, seconds: float, rate: float) -> Load:
    """Ask `rate` times a second, evenly spread over the connections.

    A request whose turn comes while its connection still waits counts from its turn, not from when it
    could be sent at last, so that a slow answer is not excused by the requests it held up.
    """
    with _connected(target) as exchange:
        clock = time.perf_counter
        began = now = clock()
        interval = CONNECTIONS / rate
        due = {each: began + number / rate for number, each in enumerate(exchange.connections)}
        since: dict[int, float] = {}
        latencies: list[float] = []
        while now < began + seconds:
            for connection, turn in due.items():
                if turn <= now and connection not in since:
                    since[connection] = now
                    exchange.send(connection)
            waiting = min((turn for each, turn in due.items() if each not in since), default=began + seconds)
            for connection in exchange.answered(max(0.0, waiting - clock())):
                now = clock()
                latencies.append(now - since.pop(connection))
                due[connection] += interval
                if due[connection] <= now:
                    since[connection] = due[connection]
                    exchange.send(connection)
            now = clock()
        return Load(now - began, sorted(latencies))


class _Exchange:
    """The open connections, by the number of their file."""

    def __init__(self, target: Target) -> None:
        self._poll = select.epoll()
        self._body = target.body
        self._sockets: dict[int, socket.socket] = {}
        self._requests: dict[int, bytes] = {}
        self._partial: dict[int, bytes] = {}
        for number in range(CONNECTIONS):
            each = socket.create_connection(("127.0.0.1", target.port), _PATIENCE_SECONDS)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[each.fileno()] = each
            self._requests[each.fileno()] = target.request(number)
            self._poll.register(each, select.EPOLLIN)
        self.connections = tuple(self._sockets)

    def send(self, connection: int) -> None:
        """Send the connection's request."""
        self._sockets[connection].sendall(self._requests[connection])

    def answered(self, seconds: float) -> Iterator[int]:
        """Wait for answers, and yield each connection whose answer is whole.

        Raises:
            BenchmarkError: an answer is not the expected one, or none comes for 10 s.
        """
        ready = self._poll.poll(seconds)
        if not ready and seconds >= _PATIENCE_SECONDS:
            begun = next(iter(self._partial.values()), b"")[:300]
            raise BenchmarkError(f"No whole answer came for {seconds} s. One began with {begun!r}.")
        for connection, _ in ready:
            data = self._sockets[connection].recv(_MOST_ANSWER_BYTES)
            if connection in self._partial:
                data = self._partial.pop(connection) + data
            if data.endswith(self._body) and data.startswith(_OK):
                yield connection
            else:
                self._keep(connection, data)

    def close(self) -> None:
        """Close every connection."""
        for each in self._sockets.values():
            each.close()
        self._poll.close()

    def _keep(self, connection: int, data: bytes) -> None:
        if not data.startswith(_OK[: len(data)]) or not data or len(data) > _MOST_ANSWER_BYTES:
            raise BenchmarkError(f"An answer is not as the first one was: {data[:300]!r}")
        self._partial[connection] = data


@contextmanager
def _connected(target: Target) -> Generator[_Exchange]:
    exchange = _Exchange(target)
    gc.disable()  # a collection here would look like a slow answer
    try:
        yield exchange
    finally:
        gc.enable()
        exchange.close()
