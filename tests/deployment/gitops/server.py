"""Real Git repositories to push to: bare ones on disk, with a server's hooks, and behind HTTP."""

import base64
import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MANIFEST = """\
# Owned by the platform team; minorkey writes the three values that are said to be its own.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {model}
spec:
  predictor:
    minReplicas:   2   # three on Black Friday
    labels: {{ minorkey.io/version: '{version}' }}   # minorkey's
    annotations:
      minorkey.io/digest: '{digest}'   # minorkey's
    model:
      modelFormat: {{name: minorkey}}
      storageUri: {uri}   # minorkey's
"""


def manifest(model: str = "cards", digest: str = "", uri: str = '""', version: str = "") -> str:
    return MANIFEST.format(model=model, digest=digest, uri=uri, version=version)


class Bare:
    """A bare repository that others push to."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self.address = f"file://{folder}"
        self.git("init", "-q", "--bare", "--initial-branch=main", str(folder), here=False)
        self.write(files, "Begin")

    def git(self, *arguments: str, given: str = "", here: bool = True) -> str:
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.org"}
        where = ["-C", str(self.folder)] if here else []
        done = subprocess.run(
            ["git", *where, *arguments], input=given.encode(), capture_output=True, env=env, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def write(self, files: Mapping[str, str], message: str, branch: str = "main") -> str:
        """Commit files as somebody else would, on top of what is there, also where others push meanwhile."""
        for _ in range(20):
            with contextlib.suppress(AssertionError):
                return self._write(files, message, branch)
        return self._write(files, message, branch)

    def _write(self, files: Mapping[str, str], message: str, branch: str) -> str:
        parts = ["commit refs/heads/" + branch, "committer Ada <ada@example.org> now"]
        parts += [f"data {len(message.encode())}", message]
        if branch in self.git("branch", "--list", branch):
            parts.append(f"from refs/heads/{branch}^0")
        for path, text in files.items():
            parts += [f"M 100644 inline {path}", f"data {len(text.encode())}", text]
        self.git("fast-import", "--quiet", "--date-format=now", given="\n".join(parts) + "\n")
        return self.tip(branch)

    def tip(self, branch: str = "main") -> str:
        return self.git("rev-parse", branch).strip()

    def read(self, path: str, revision: str = "main") -> str:
        return self.git("show", f"{revision}:{path}")

    def messages(self, branch: str = "main") -> list[str]:
        return self.git("log", "--format=%B%x00", branch).split("\0\n")[:-1]

    def count(self, branch: str = "main") -> int:
        return int(self.git("rev-list", "--count", branch))

    def hook(self, name: str, script: str) -> None:
        path = self.folder / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


@contextmanager
def over_http(bare: Bare, token: str = "", *, moved_to: str = "", status: int = 0) -> Iterator[str]:
    """The repository behind git's own HTTP server program, which wants a token.

    Args:
        bare: the repository.
        token: what callers bring as password, "" for none.
        moved_to: where every request is sent instead.
        status: what every request is answered with instead, 0 for none.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self._body()
            if moved_to or status:
                self.send_response(301 if moved_to else status)
                if moved_to:
                    self.send_header("Location", f"{moved_to}{path.removeprefix('/repository.git')}?{query}")
                return self._plain()
            given = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
            if token and given.partition(":")[2] != token:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                return self._plain()
            env = {
                "GIT_PROJECT_ROOT": str(bare.folder.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": given.partition(":")[0] or "anonymous",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path.replace("/repository.git", f"/{bare.folder.name}", 1),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH": os.environ["PATH"],
            }
            out = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env).stdout
            head, _, content = out.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            return self._plain(content)

        do_POST = do_GET

        def _plain(self, content: bytes = b"") -> None:
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = b""
                while size := int(self.rfile.readline().strip() or b"0", 16):
                    parts += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return parts
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/repository.git"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
