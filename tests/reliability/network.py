"""A network between a guard and its server that can be cut, slowed and silenced in the middle of everything."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Weather = Literal["fair", "silent", "cut", "half", "drip"]
"""fair: everything passes; silent: connections are taken, and nothing passes; cut: all are closed at once; half: the
first two octets of each answer pass; drip: an octet of an answer passes at a time, a fifth of a second apart."""

DROP = 0.2
"""Seconds."""


@dataclass
class Network:
    """Pipes between a port of loopback and the socket of a server."""

    server: Path
    """The file of its socket."""
    port: int = 0
    _weather: Weather = "fair"
    _pipes: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def weather(self) -> Weather:
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        self._weather = weather
        if weather == "cut":
            self.cut()

    def cut(self) -> None:
        """End every connection that there is."""
        with self._lock:
            for pipe in self._pipes:
                with suppress(OSError):
                    pipe.shutdown(socket.SHUT_RDWR)

    def serve(self, listener: socket.socket) -> None:
        """Until the listener is shut down."""
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if self._weather == "cut":
                near.close()
                continue
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(str(self.server))
            except OSError:
                near.close()
                far.close()
                continue
            self._start(near, far)

    def close(self) -> None:
        self._over.set()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _start(self, near: socket.socket, far: socket.socket) -> None:
        with self._lock:
            self._pipes |= {near, far}
        there = threading.Thread(target=self._pump, args=(near, far, False))
        self._threads += [there, threading.Thread(target=self._both, args=(near, far, there))]
        self._threads[-1].start()

    def _both(self, near: socket.socket, far: socket.socket, there: threading.Thread) -> None:
        there.start()
        self._pump(far, near, True)
        there.join()
        with self._lock:
            self._pipes -= {near, far}
        near.close()
        far.close()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while octets := source.recv(65536):
                for part in self._passing(octets, answers):
                    sink.sendall(part)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _passing(self, octets: bytes, answers: bool) -> Iterator[bytes]:
        weather = self._weather
        if weather == "half" and answers:
            yield octets[:2]
        elif weather == "drip" and answers:
            for place in range(len(octets)):
                if self._over.wait(DROP):
                    return
                yield octets[place : place + 1]
        elif weather != "silent":
            yield octets


@contextmanager
def network_before(server: Path) -> Iterator[Network]:
    """A network before the server at the socket ``server``."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as listener:
        network = Network(server, listener.getsockname()[1])
        serving = threading.Thread(target=network.serve, args=(listener,))
        serving.start()
        try:
            yield network
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()
            network.close()
