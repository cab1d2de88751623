"""What a challenger in shadow costs the champion: latency and requests a second with and without one.

    python -m benchmarks.shadow [--seconds 4] [--rounds 3]

A LightGBM model is served on one core, the same model as challenger in its shadow; the client asks from the
others, one row a request. Latency at a steady pace (one connection, 100 requests a second, where the shadow
scores in the pauses) and without a pause; requests a second of eight connections that are never idle, where
it has to compete, and the share of the rows that found no room. Both take turns, and medians of the
rounds are told. Where other work runs on the machine, requests in a second of the server's own CPU time
are the fairer figure.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import psutil

from benchmarks.recording import record
from benchmarks.serving import (
    CONNECTIONS,
    Connection,
    build_bundle,
    free_port,
    latencies,
    post,
    serving,
    throughput,
)
from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.serving.samples import sample_rows
from minorkey.serving.shadow_counts import read_metrics, shadow_counts
from minorkey.serving.verification import inference_body

_PACE = 0.01


def paced(port: int, request: bytes, seconds: float) -> np.ndarray:
    """Seconds of each request of one connection that asks at a steady pace, after a tenth to warm up."""
    times: list[float] = []
    with Connection(port) as connection:
        started = time.perf_counter()
        for number in range(int(seconds / _PACE)):
            time.sleep(max(0.0, started + number * _PACE - time.perf_counter()))
            before = time.perf_counter()
            if connection.ask(request) != 200:
                raise SystemExit("the server refused the request")
            if before - started > seconds / 10:
                times.append(time.perf_counter() - before)
    return np.array(times)


def process_time(server: int) -> float:
    """Seconds of CPU time that a process has taken."""
    times = psutil.Process(server).cpu_times()
    return float(times.user + times.system)


def once(command: list[str], core: int, request: bytes, seconds: float) -> dict[str, float]:
    """One server of its own."""
    port = free_port()
    with serving([*command, str(port)], core, "/v2/health/ready", port) as server:
        found: dict[str, float] = {}
        for name, ask in (("paced", paced), ("unpaced", latencies)):
            times = ask(port, request, seconds) * 1e3
            found |= {f"{name}_{key}_ms": float(np.quantile(times, q)) for key, q in _QUANTILES}
        before = process_time(server)
        found["requests_per_second"] = throughput(port, request, seconds)
        spent = process_time(server) - before
        found["requests_per_cpu_second"] = found["requests_per_second"] * seconds / spent
        for counts in shadow_counts(read_metrics(f"http://127.0.0.1:{port}"), "bench"):
            found["not_scored"] = counts.missed / max(1.0, counts.missed + counts.rows)
            found["failed"] = counts.failed
    return found


_QUANTILES = (("p50", 0.5), ("p99", 0.99))


def compare(bundle: Bundle, challenger: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Medians of the rounds, without a shadow and with one."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    request = post("/v2/models/bench/infer", inference_body(sample_rows(bundle.info, 1)))
    plain = [sys.executable, "-m", "minorkey", "serve", "--bundle", str(bundle.folder)]
    commands = {
        "alone": [*plain, "--port"],
        "with_shadow": [*plain, "--shadow", str(challenger), "--port"],
    }
    load = os.getloadavg()[0]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(once(command, cores[0], request, seconds))
    return {
        "rounds": rounds,
        "connections": {"latency": 1, "throughput": CONNECTIONS},
        "client_on_a_core_of_its_own": len(cores) > 1,
        "load_average_before": round(load, 1),
        "servers": {
            name: {key: round(float(np.median([one[key] for one in each])), 3) for key in each[0]}
            for name, each in found.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="minorkey-shadow-") as name:
        os.environ["MINORKEY_HOME"] = f"{name}/home"
        bundle = build_bundle(Path(name))
        graph = onnx.load(bundle.folder / "model.onnx")
        write_bundle(Path(name) / "challenger", graph, replace(bundle.info, threshold=0.4))
        result = compare(bundle, Path(name) / "challenger", arguments.seconds, arguments.rounds)
    record("shadow", result)


if __name__ == "__main__":
    main()
