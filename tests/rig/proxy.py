"""A network that misbehaves: a TCP proxy which does to each connection what its script says."""

from __future__ import annotations

import contextlib
import enum
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType


class Fault(enum.Enum):
    NONE = "everything passes"
    REFUSED = "closed as soon as it is accepted"
    CUT = "closed in the middle of the request"
    SLOW = "a kilobyte at a time, and slowly"
    ERROR = "answered with status 500 by somebody else"
    GARBAGE = "answered with no HTTP at all"
    ANSWER_LOST = "the request arrives, and the answer does not"
    ANSWER_CUT = "the answer ends in the middle"


class Proxy:
    """Forwards connections to ``port``; each gets the fault that ``script`` says when it begins."""

    def __init__(self, port: Callable[[], int], script: Callable[[], Fault], chance: random.Random) -> None:
        self.target, self.script, self.chance = port, script, chance
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: Counter[Fault] = Counter()
        #: How many bytes went to the server.
        self.sent_bytes = 0
        self.counting = threading.Lock()
        self.open = True
        self.sockets: set[socket.socket] = set()
        self.accepting = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Proxy:
        self.accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.open = False
        # Closing a socket does not wake a thread that is waiting in accept().
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.accepting.join()
        self.listener.close()
        self.cut(1)

    def cut(self, share: float) -> None:
        """Cuts open connections, each with this probability."""
        for each in list(self.sockets):
            if self.chance.random() < share:
                hang_up(each)

    def _accept(self) -> None:
        while self.open:
            client, _ = self.listener.accept()
            if not self.open:
                client.close()
                return
            fault = self.script()
            self.seen[fault] += 1
            threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        self.sockets.add(client)
        try:
            if fault is Fault.REFUSED:
                return
            if fault in (Fault.ERROR, Fault.GARBAGE):
                self._read_some(client)
                body = b"out of order"
                answer = b"HTTP/1.1 500 Oops\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
                client.sendall(answer if fault is Fault.ERROR else b"\x00\xffnonsense\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.target()), timeout=60) as server:
                self.sockets.add(server)
                back = threading.Thread(target=self._back, args=(server, client, fault), daemon=True)
                back.start()
                self._forth(client, server, fault)
                back.join(60)
                self.sockets.discard(server)
        except OSError:
            pass  # Either side may be gone at any time: that is the point.
        finally:
            self.sockets.discard(client)
            client.close()

    def _read_some(self, client: socket.socket) -> None:
        client.settimeout(20)
        client.recv(65_536)

    def _forth(self, client: socket.socket, server: socket.socket, fault: Fault) -> None:
        budget = self.chance.randrange(20, 600) if fault is Fault.CUT else None
        while data := client.recv(1024 if fault is Fault.SLOW else 65_536):
            if budget is not None and len(data) >= budget:
                server.sendall(data[:budget])
                hang_up(client)
                break
            server.sendall(data)
            with self.counting:
                self.sent_bytes += len(data)
            if budget is not None:
                budget -= len(data)
            if fault is Fault.SLOW:
                threading.Event().wait(0.01)
        server.shutdown(socket.SHUT_WR)

    def _back(self, server: socket.socket, client: socket.socket, fault: Fault) -> None:
        try:
            while data := server.recv(65_536):
                if fault is Fault.ANSWER_LOST:
                    break
                if fault is Fault.ANSWER_CUT:
                    client.sendall(data[:-1])
                    break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def hang_up(connection: socket.socket) -> None:
    """Ends a connection, also for threads that are waiting for it, which closing would leave waiting."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
