"""What counting costs the predictor: requests a second with counters on and off, bytes a series.

    python -m benchmarks.counters [--seconds 3] [--rounds 3]

A LightGBM model of 15 and of 300 features, every one of them watched, is served on one core; the client asks
from the other with eight connections, one row a request. The server counts, or counts nothing at all; the two
take turns, and medians of the rounds are told. Where other work runs on the machine, requests in a second of
the server's own CPU time are the fairer figure.
"""

import argparse
import os
import sys
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.recording import record
from benchmarks.serving import free_port, post, serving, throughput
from minorkey.bundle.bundle import Bundle, BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.bundle.reference import reference_profile
from minorkey.data.dataset import Feature, Schema
from minorkey.data.preprocessing import Preprocessor
from minorkey.evaluation.calibration import Calibration
from minorkey.models import family
from minorkey.models.family import Facts
from minorkey.serving.metrics import PredictorMetrics
from minorkey.serving.predictor import Predictor
from minorkey.serving.samples import sample_rows
from minorkey.serving.server import bind, run_server
from minorkey.serving.slot import Slot
from minorkey.serving.verification import inference_body
from minorkey.spec import MonitorSpec

FEATURES = (15, 300)
_ROWS = 4_000


def build_bundle(folder: Path, features: int) -> Bundle:
    """LightGBM on drawn numbers and categories (one in five)."""
    random = np.random.default_rng(0)
    levels = np.array(["a", "b", "c", "d", "e", "f"], dtype=object)
    kinds = ["categorical" if place % 5 == 0 else "numeric" for place in range(features)]
    frame = pd.DataFrame(
        {
            f"f{place}": random.choice(levels, _ROWS) if kind == "categorical" else random.normal(size=_ROWS)
            for place, kind in enumerate(kinds)
        }
    )
    y = (frame["f1"] + frame["f2"] + random.normal(size=_ROWS) > 2.5).to_numpy(np.int8)
    described = tuple(Feature(f"f{place}", kind) for place, kind in enumerate(kinds))
    schema = Schema(described, target="y", positive="1", negative="0")
    chosen = family("lightgbm")
    counts = {"numeric": kinds.count("numeric"), "categorical": kinds.count("categorical")}
    prepared = Preprocessor.fit(frame, schema, chosen.encoding, interactions=False)
    params = chosen.portfolio(Facts(rows=_ROWS, positives=int(y.sum()), **counts))[0]
    fitted = chosen.fit(
        prepared.transform(frame), y, np.ones(_ROWS), params, seed=0, categorical=prepared.categorical
    )
    reference = reference_profile(frame, np.linspace(0, 1, _ROWS), MonitorSpec(max_features=features))
    info = BundleInfo("bench", schema, 0.5, Calibration(), reference=reference)
    write_bundle(folder, compose([(member_graph(prepared, fitted), 1.0)], Calibration()), info)
    return Bundle.load(folder)


class CountingNothing(PredictorMetrics):
    """What the predictor would be without any metric of requests and rows."""

    def answered(self, *_: object) -> None:
        """Count nothing."""

    def predicted(self, *_: object) -> None:
        """Count nothing."""


def serve(folder: Path, port: int, counting: bool) -> None:
    slot = Slot(Predictor(Bundle.load(folder), "bench", "1"))
    if not counting:
        slot.metrics = CountingNothing()
    run_server(slot, None, bind("127.0.0.1", port))


def requests_per_second(bundle: Bundle, counting: bool, core: int, seconds: float) -> tuple[float, float]:
    """Requests in a second of the clock, and in a second of the server's CPU time."""
    port = free_port()
    switch = "--serve" if counting else "--serve-uncounted"
    command = [sys.executable, "-m", "benchmarks.counters", switch, str(bundle.folder), "--port", str(port)]
    request = post("/v2/models/bench/infer", inference_body(sample_rows(bundle.info, 1)))
    with serving(command, core, "/v2/health/ready", port) as server:
        throughput(port, request, seconds / 5)
        before = cpu_seconds(server)
        rate = throughput(port, request, seconds)
        return rate, rate * seconds / (cpu_seconds(server) - before)


def cpu_seconds(process: int) -> float:
    used = psutil.Process(process).cpu_times()
    return float(used.user + used.system)


def memory(bundle: Bundle) -> dict[str, Any]:
    """Bytes that announcing a bundle takes, by series, and size and seconds of a scrape."""
    predictor = Predictor(bundle, "bench", "1")
    PredictorMetrics().serve(predictor)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    metrics = PredictorMetrics()
    metrics.serve(predictor)
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    text = metrics.text()
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    return {"series": series, "bytes_per_series": round(taken / series), "scrape_bytes": len(text)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--serve-uncounted", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve or asked.serve_uncounted:
        serve(asked.serve or asked.serve_uncounted, asked.port, counting=asked.serve is not None)
        return
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    result: dict[str, Any] = {"load_average_before": round(os.getloadavg()[0], 1)}
    with tempfile.TemporaryDirectory(prefix="minorkey-counters-") as name:
        for features in FEATURES:
            bundle = build_bundle(Path(name) / str(features), features)
            rates: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
            for _ in range(asked.rounds):
                for counting in (True, False):
                    rates[counting].append(requests_per_second(bundle, counting, cores[0], asked.seconds))
            on, off = (np.median(np.array(rates[counting]), axis=0) for counting in (True, False))
            result[f"features_{features}"] = {
                "requests_per_second_on": round(float(on[0]), 1),
                "requests_per_second_off": round(float(off[0]), 1),
                "requests_per_cpu_second_on": round(float(on[1]), 1),
                "requests_per_cpu_second_off": round(float(off[1]), 1),
                "share_left_by_cpu": round(float(on[1] / off[1]), 3),
                **memory(bundle),
            }
    record("counters", result)


if __name__ == "__main__":
    main()
