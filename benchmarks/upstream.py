"""A service that is never the bottleneck: `python -m benchmarks.upstream PORT` answers every GET alike.

One epoll and fixed bytes: three times as fast as an asyncio protocol on uvloop would have to be.
"""

import select
import socket
import sys

BODY = (
    b'{"status_code":200,"message":"Success","data":{"uuid":"0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f",'
    b'"code":"JKT-01","name":"Kopi Nusantara Menteng","is_active":true}}'
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)

_END_OF_HEAD = b"\r\n\r\n"


def serve(port: int) -> None:
    """Answer every request without a body, until the process is ended."""
    listener = socket.create_server(("127.0.0.1", port), backlog=128)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                _accept(listener, poll, connections)
            elif not _answer(connections[number]):
                connections.pop(number).close()


def _accept(listener: socket.socket, poll: "select.epoll", connections: dict[int, socket.socket]) -> None:
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connections[connection.fileno()] = connection
    poll.register(connection, select.EPOLLIN)


def _answer(connection: socket.socket) -> bool:
    """Answer what was asked; False when the other side has closed."""
    try:
        data = connection.recv(65536)
        if data.endswith(_END_OF_HEAD):
            connection.sendall(ANSWER)
    except ConnectionError:
        return False
    return bool(data)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
