"""A proxy before an S3 service, for what a network and another store do to requests."""

import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on.

    Attributes:
        lose: answers of puts that are still to be lost after the store has carried them out.
        ignores_conditions: conditional puts are answered as stored, as a store does that does not know them.
    """

    daemon_threads = True
    lose = 0
    ignores_conditions = False

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.ignores_conditions and "If-None-Match" in self.headers:
            self._answer(200, {"ETag": '"0"'}, b"")
            return
        answer = self._ask(body)
        if self.server.lose:
            self.server.lose -= 1
            self.close_connection = True
            return
        self._answer(*answer)

    def do_GET(self) -> None:
        self._answer(*self._ask(b""))

    do_HEAD = do_GET

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=20)
        with contextlib.closing(upstream):
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, dict(answer.headers), answer.read()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        kept = {name: value for name, value in headers.items() if name.lower() != "transfer-encoding"}
        for name, value in (
            kept if self.command == "HEAD" else kept | {"Content-Length": str(len(body))}
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@contextlib.contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    with Proxy(upstream) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
