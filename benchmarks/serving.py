"""Serving on one core: our predictor beside ``mlflow models serve`` and a FastAPI no-op, in one run.

    python -m benchmarks.serving [--seconds 5]

The same LightGBM model is served by the first two. Each server runs alone, pinned to one core with one
thread of computation; the client, bounded in time and in connections, runs on the others. Latency: one
connection, one request after the other. Requests a second: eight connections that are never idle.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.recording import record
from minorkey.bundle.bundle import Bundle, BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.bundle.reference import reference_profile
from minorkey.data.loading import load_dataset
from minorkey.data.preprocessing import Preprocessor
from minorkey.evaluation.calibration import Calibration
from minorkey.models import family
from minorkey.models.family import Facts
from minorkey.registry import move_champion, register_version, store_bundle
from minorkey.serving.samples import sample_rows
from minorkey.serving.verification import inference_body
from minorkey.settings import settings
from minorkey.spec import DataSpec, MonitorSpec
from minorkey.tracking import open_run

CONNECTIONS = 8
ROWS = (1, 100)


def build_bundle(folder: Path) -> Bundle:
    """LightGBM with its first portfolio configuration on 20,000 built-in card transactions."""
    dataset = load_dataset(DataSpec(source="builtin:cards", options={"rows": 20_000})).dataset
    chosen = family("lightgbm")
    facts = Facts(
        rows=len(dataset),
        positives=dataset.positives,
        numeric=len(dataset.schema.names("numeric")),
        categorical=len(dataset.schema.names("categorical")),
    )
    prepared = Preprocessor.fit(dataset.features, dataset.schema, chosen.encoding, interactions=False)
    fitted = chosen.fit(
        prepared.transform(dataset.features),
        dataset.y,
        np.ones(len(dataset)),
        chosen.portfolio(facts)[0],
        seed=0,
        categorical=prepared.categorical,
    )
    calibration = Calibration()
    info = BundleInfo(
        model="bench",
        schema=dataset.schema,
        threshold=0.5,
        calibration=calibration,
        reference=reference_profile(dataset.features, np.linspace(0, 1, len(dataset)), MonitorSpec()),
    )
    write_bundle(folder / "bundle", compose([(member_graph(prepared, fitted), 1.0)], calibration), info)
    return Bundle.load(folder / "bundle")


def register(bundle: Bundle) -> None:
    """Make the bundle the champion that both servers load."""
    uri = store_bundle(bundle.folder, bundle.digest)
    version = register_version("bench", "bench", bundle, uri, open_run("bench", "bench"), {})
    move_champion("bench", version, expected="")


@contextmanager
def serving(command: list[str], core: int, health: str, port: int) -> Iterator[int]:
    """A server process pinned to one core, once it answers: its id. Ended with its children."""
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": settings().tracking_uri,
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    with subprocess.Popen(
        command,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while not answers(port, health):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"the server did not start: {' '.join(command)}")
                time.sleep(0.1)
            yield process.pid
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)


def answers(port: int, path: str) -> bool:
    try:
        with Connection(port) as connection:
            return connection.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()) == 200
    except OSError:
        return False


class Connection:
    """A kept-alive HTTP connection that costs the client next to nothing."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, request: bytes) -> int:
        """Send a whole request and read the whole answer; its status."""
        self._socket.sendall(request)
        line = self._stream.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        length = 0
        while (header := self._stream.readline()) not in (b"\r\n", b""):
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
        self._stream.read(length)
        return int(line.split()[1])


def post(path: str, body: dict[str, Any]) -> bytes:
    content = json.dumps(body, separators=(",", ":")).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def latencies(port: int, request: bytes, seconds: float) -> np.ndarray:
    """Seconds of each request of one connection, after a tenth of the time to warm up."""
    times: list[float] = []
    with Connection(port) as connection:
        started = time.perf_counter()
        while (before := time.perf_counter()) - started < seconds:
            if connection.ask(request) != 200:
                raise SystemExit("the server refused the request")
            if before - started > seconds / 10:
                times.append(time.perf_counter() - before)
    return np.array(times)


def throughput(port: int, request: bytes, seconds: float) -> float:
    """Requests answered in a second over all connections."""
    counts = [0] * CONNECTIONS
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        with Connection(port) as connection:
            while time.perf_counter() < end:
                counts[number] += connection.ask(request) == 200

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def measure(port: int, request: bytes, seconds: float) -> dict[str, float]:
    times = latencies(port, request, seconds) * 1e3
    return {
        "p50_ms": round(float(np.quantile(times, 0.5)), 3),
        "p99_ms": round(float(np.quantile(times, 0.99)), 3),
        "requests_per_second": round(throughput(port, request, seconds), 1),
        "requests_timed": len(times),
    }


def no_op(port: int) -> None:
    """A FastAPI application that reads the body and answers nothing of it."""
    import uvicorn
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.get("/health")
    async def health() -> dict[str, bool]:
        return {"ready": True}

    @app.post("/")
    async def answer(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", loop="asyncio", http="h11")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each of the twelve measurements")
    parser.add_argument("--no-op", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.no_op:
        no_op(arguments.no_op)
        return
    with tempfile.TemporaryDirectory(prefix="minorkey-serving-") as name:
        os.environ["MINORKEY_HOME"] = f"{name}/home"
        bundle = build_bundle(Path(name))
        register(bundle)
        result = compare(bundle, arguments.seconds)
    record("serving", result)


def compare(bundle: Bundle, seconds: float) -> dict[str, Any]:
    """Each server in turn, with one row and with 100."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    bodies = {rows: inference_body(sample_rows(bundle.info, rows)) for rows in ROWS}
    theirs = {
        rows: {"inputs": {tensor["name"]: tensor["data"] for tensor in body["inputs"]}}
        for rows, body in bodies.items()
    }
    python = [sys.executable, "-m"]
    reference = "bench@champion"
    mlflow = ["mlflow", "models", "serve", "-m", f"models:/{reference}", "--env-manager", "local"]
    servers: dict[str, tuple[list[str], str, str, dict[int, dict[str, Any]]]] = {
        "minorkey": (
            [*python, "minorkey", "serve", "--model", reference, "--port"],
            "/v2/health/ready",
            "/v2/models/bench/infer",
            bodies,
        ),
        "mlflow": ([*python, *mlflow, "-p"], "/ping", "/invocations", theirs),
        "no_op": ([*python, "benchmarks.serving", "--no-op"], "/health", "/", bodies),
    }
    measured: dict[str, Any] = {}
    load = os.getloadavg()[0]
    for key, (command, health, path, requests) in servers.items():
        port = free_port()
        with serving([*command, str(port)], cores[0], health, port):
            measured[key] = {
                f"rows_{rows}": measure(port, post(path, body), seconds) for rows, body in requests.items()
            }
    return {
        "model": {"family": "lightgbm", "features": len(bundle.info.schema.features)},
        "connections": {"latency": 1, "throughput": CONNECTIONS},
        "client_on_a_core_of_its_own": len(cores) > 1,
        "load_average_before": round(load, 1),
        "servers": measured,
    }


if __name__ == "__main__":
    main()
