"""Whether the ports are free, and who has those that are not."""

import errno
import socket

import psutil

from infra.embedded.errors import StartError
from infra.embedded.settings import PORTS


def require_free(ports: dict[str, int]) -> None:
    """Check that each port can be listened on.

    Raises:
        StartError: with a sentence for each that cannot, naming the variable that moves it.
    """
    problems = [problem for name, port in ports.items() if (problem := _problem(name, port))]
    if problems:
        raise StartError("\n".join(problems))


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_to_itself(connection: socket.socket) -> bool:
    """Tell whether a connection has no other end.

    Asking again and again at a port where nothing listens yet, a caller may be given that very port as its
    own, and TCP then connects it to itself. That would keep the port from the server about to start.
    """
    return connection.getsockname() == connection.getpeername()


def _problem(name: str, port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except PermissionError:
            return f"Port {port} ({name}) needs privileges. Set {PORTS[name]} to a port above 1023."
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return f"Port {port} ({name}) is taken by {_user_of(port)}. Free it or change {PORTS[name]}."
    return None


def _user_of(port: int) -> str:
    """Describe the process that uses `port`, as far as this user may see it."""
    try:
        connections = psutil.net_connections("tcp")
        pids = [c.pid for c in connections if c.laddr and c.laddr[1] == port and c.pid]
        process = psutil.Process(pids[0])
        return f"process {process.pid} ({' '.join(process.cmdline())[:80] or process.name()})"
    except (psutil.Error, IndexError):
        return "another process"
