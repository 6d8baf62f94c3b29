"""What stands between a store and its server, on loopback, and does what networks and servers do."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 10.0
"""Seconds."""


@dataclass
class Proxy:
    """Passes requests on to a server, one answer for each, until it is told otherwise."""

    server: Path
    """The file of its socket."""
    port: int = 0
    loses: Callable[[bytes], bool] = lambda request: False
    """Whether the answer to this request is lost, and the connection with it, after the server acted."""
    instead: Callable[[bytes], bytes | None] = lambda request: None
    """An answer that the server never gave."""
    asked: list[bytes] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        with closing(connection), closing(socket.socket(socket.AF_UNIX)) as behind:
            behind.settimeout(PATIENCE)
            behind.connect(str(self.server))
            while request := connection.recv(65536):
                self.asked.append(request)
                answer = self.instead(request)
                if answer is None:
                    behind.sendall(request)
                    answer = behind.recv(65536)
                if self.loses(request):
                    return
                connection.sendall(answer)


@contextmanager
def running_proxy(server: Path, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """A proxy before the server at the socket ``server``; with TLS where there is a context."""
    proxy = Proxy(server)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        proxy.port = listener.getsockname()[1]

        def serve(connection: socket.socket) -> None:
            connection.settimeout(PATIENCE)
            try:
                proxy.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)
            except OSError:
                connection.close()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
