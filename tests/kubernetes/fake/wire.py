"""HTTP/1.1 on loopback: reads requests, writes answers, keeps connections open."""

import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.kubernetes.fake.answers import Answer

__all__ = ["Cut", "Request", "Server"]


class Cut(Exception):
    """The connection ends here, without another byte."""


@dataclass
class Request:
    """What a client asks.

    Attributes:
        gone: whether the client has hung up, for answers that take long.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    gone: Callable[[], bool] = field(default=lambda: False)


Handle = Callable[[Request], Answer]


class Server:
    """Answers each request by a function. It listens on a free port of 127.0.0.1 from the start.

    Args:
        handle: gives the answer.
        tls: for https; without it the server speaks http.
    """

    def __init__(self, handle: Handle, tls: ssl.SSLContext | None = None) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        server = self

        class Connection(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self) -> None:
                with server._kept(self.connection):
                    _converse(self, handle)

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 512
            block_on_close = False

            def finish_request(self, request: Any, client_address: Any) -> None:
                if tls is None:
                    super().finish_request(request, client_address)
                    return
                with tls.wrap_socket(request, server_side=True) as secure:
                    super().finish_request(secure, client_address)

            def handle_error(self, request: object, client_address: object) -> None:
                """Clients come and go."""

        self._listener = Listener(("127.0.0.1", 0), Connection)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="api", daemon=True
        )
        self._thread.start()

    def _kept(self, connection: socket.socket) -> "_Kept":
        return _Kept(self._open, self._lock, connection)

    def drop_connections(self) -> None:
        """End every connection at once, as a restarting API server does."""
        with self._lock:
            for connection in self._open:
                _end(connection)

    def close(self) -> None:
        self._listener.shutdown()
        self.drop_connections()
        self._listener.server_close()
        self._thread.join(timeout=10)


class _Kept:
    """A connection counts as open inside this block."""

    def __init__(self, kept: set[socket.socket], lock: threading.Lock, connection: socket.socket) -> None:
        self._all, self._lock, self._connection = kept, lock, connection

    def __enter__(self) -> None:
        with self._lock:
            self._all.add(self._connection)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._all.discard(self._connection)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _converse(connection: socketserver.StreamRequestHandler, handle: Handle) -> None:
    try:
        while (request := _read(connection)) is not None:
            answer = handle(request)
            _write(connection, answer)
            if request.headers.get("connection", "").lower() == "close":
                return
    except (Cut, OSError):
        _end(connection.connection)


def _read(connection: socketserver.StreamRequestHandler) -> Request | None:
    start = connection.rfile.readline(65_536)
    if not start.strip():
        return None
    method, target, _ = start.decode("latin-1").split(" ", 2)
    headers = {}
    while (line := connection.rfile.readline(65_536).strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = connection.rfile.read(int(headers.get("content-length") or 0))
    path, _, query = target.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    return Request(method, unquote(path), asked, headers, body, lambda: _hung_up(connection.connection))


def _hung_up(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    if readable and isinstance(connection, ssl.SSLSocket):
        # A client that watches has nothing more to say than that it goes.
        return True
    try:
        return bool(readable) and connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except OSError:
        return True


def _write(connection: socketserver.StreamRequestHandler, answer: Answer) -> None:
    head = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    head += [f"Content-Type: {answer.content_type}"]
    head += [f"{name}: {value}" for name, value in answer.headers.items()]
    if answer.lines is None:
        head += [f"Content-Length: {len(answer.body)}", "", ""]
        connection.wfile.write("\r\n".join(head).encode() + answer.body)
    else:
        head += ["Transfer-Encoding: chunked", "", ""]
        connection.wfile.write("\r\n".join(head).encode())
        _stream(connection, answer.lines)


def _stream(connection: socketserver.StreamRequestHandler, lines: Iterator[bytes]) -> None:
    for line in lines:
        connection.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
    connection.wfile.write(b"0\r\n\r\n")
