"""The retune trigger under a storm: repetitions, any order, resolved alerts, clock jumps, kills.

    python -m benchmarks.trigger [--alerts 10000] [--copies 50] [--kills 25] [--seed 0]

The service is a process of its own with an SQLite ledger and local runs; the sender behaves like Alertmanager
and sends again whatever was not answered with 202. The wall clock that the service sees jumps by days.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.recording import record
from minorkey.endpoint.limits import Admission
from minorkey.endpoint.running import run_service
from minorkey.endpoint.token import BearerToken
from minorkey.retune.action import Action
from minorkey.retune.app import create_app
from minorkey.retune.clock import LedgerClock
from minorkey.retune.ledger import Ledger
from minorkey.retune.local_runs import LocalRuns
from minorkey.retune.readiness import labels_unknown
from minorkey.retune.spec import ModelSpec, RetuneSpec
from minorkey.retune.trigger import Surroundings, Trigger
from minorkey.retune.views import page

TOKEN = "token-of-the-benchmark"
MODELS = [f"model-{number}" for number in range(10)]
KINDS = ("performance_down", "calibration_off", "prior_shift")
COOL_DOWN = 5.0
BATCH = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=50)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="minorkey-trigger-") as name:
        folder = Path(name)
        os.environ["MINORKEY_EVENTS"] = str(folder / "events.jsonl")
        events = alerts(asked.alerts // asked.copies)
        sent = storm(folder, events, asked.copies, asked.kills, random.Random(asked.seed))
        result = {"alerts": asked.alerts, "distinct": len(events), **sent, **judged(folder, events)}
    record("trigger", result, started=started)


def alerts(distinct: int) -> list[dict[str, Any]]:
    """So many firing alerts over models and kinds; some begin in the future, some long ago."""
    return [
        {
            "status": "firing",
            "labels": {"alertname": "A", "model": MODELS[number % 10], "kind": KINDS[number % 3]},
            "annotations": {},
            "startsAt": f"20{20 + number % 20}-01-01T00:00:{number % 60:02}Z",
            "fingerprint": f"{number:016x}",
        }
        for number in range(distinct)
    ]


def storm(
    folder: Path, events: Sequence[dict[str, Any]], copies: int, kills: int, rng: random.Random
) -> dict[str, Any]:
    """Send everything in random order, kill the service now and then, and wait for the last run."""
    stream = [event for event in events for _ in range(copies)]
    stream += [event | {"status": "resolved"} for event in events for _ in range(copies // 10)]
    rng.shuffle(stream)
    batches = [stream[start : start + BATCH] for start in range(0, len(stream), BATCH)]
    killed_at = set(rng.sample(range(1, len(batches)), min(kills, len(batches) - 1)))
    service, latencies, memory, codes = Service(folder), [], [], Counter[str]()
    for number, batch in enumerate(batches):
        if number in killed_at:
            threading.Timer(rng.uniform(0, 0.3), service.kill).start()
        if rng.random() < 0.05:
            (folder / "jump").write_text(str(rng.uniform(-30, 30) * 86_400))
        while True:
            began = time.perf_counter()
            code = service.send(batch)
            codes[code] += 1
            if code == "202":
                latencies.append(time.perf_counter() - began)
                break
        memory.append(service.memory())
    service.settle()
    memory.append(service.memory())
    service.kill()
    latencies.sort()
    return {
        "deliveries": len(batches),
        "kills": service.kills - 1,
        "answers": dict(codes),
        "webhook_ms": {
            "median": round(1_000 * latencies[len(latencies) // 2], 1),
            "p99": round(1_000 * latencies[int(len(latencies) * 0.99)], 1),
        },
        "resident_mib": {"first": memory[0], "largest": max(memory), "last": memory[-1]},
    }


def judged(folder: Path, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the ledger and the runs themselves say."""
    found = page(Ledger(f"sqlite:///{folder / 'retune.db'}"), 100_000)
    by_id = {action.id: action for action in found.actions}
    acted = {event["fingerprint"] for event in found.events if by_id[event["action"]].status == "kept"}
    runs = Counter((folder / "ran").read_text().split())
    return {
        "actions": len(found.actions),
        "keys": len({(action.model, action.kind) for action in found.actions}),
        "deliveries_recorded": sum(event["deliveries"] for event in found.events),
        "most_starts_per_key_and_cool_down": most_starts(found.actions),
        "missed": sum(event["fingerprint"] not in acted for event in events),
        "runs_started_twice": sum(number > 1 for number in runs.values()),
        "runs_without_an_action": len(set(runs) - {action.run_key for action in found.actions}),
    }


def most_starts(actions: Sequence[Action]) -> int:
    """Most starts of one key within any cool-down."""
    starts: dict[tuple[str, str], list[float]] = {}
    for action in actions:
        if action.started is not None:
            starts.setdefault((action.model, action.kind), []).append(action.started)
    return max(
        sum(first <= other < first + COOL_DOWN for other in times)
        for times in starts.values()
        for first in times
    )


class Service:
    """The trigger as a process that can be killed and comes back at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.kills, self._lock = folder, 0, threading.Lock()
        self._url = ""
        self._client = httpx.Client(headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
        self._start()

    def send(self, batch: list[dict[str, Any]]) -> str:
        """The answer's code, or what kept it from coming; then the service is there again."""
        body = {"version": "4", "status": "firing", "alerts": batch}
        try:
            answer = self._client.post(f"{self._url}/webhook", json=body)
            return str(answer.status_code)
        except httpx.HTTPError as error:
            self._start_again()
            return type(error).__name__

    def kill(self) -> None:
        """As the kernel would for want of memory."""
        with self._lock:
            if not self._killed and self._process.pid is not None:
                os.kill(self._process.pid, signal.SIGKILL)
                self._process.join()
                self._killed = True
                self.kills += 1

    def memory(self) -> float:
        """Resident memory in MiB, 0 while there is no process."""
        try:
            return round(psutil.Process(self._process.pid).memory_info().rss / 2**20, 1)
        except psutil.Error:
            return 0.0

    def settle(self) -> None:
        """Wait until every action has ended."""
        while True:
            try:
                shown = httpx.get(f"{self._url}/ledger?limit=1000", timeout=60).json()["actions"]
            except httpx.HTTPError:
                self._start_again()
                shown = [{"ended": None}]
            if all(action["ended"] for action in shown):
                return
            time.sleep(0.5)

    def _start_again(self) -> None:
        with self._lock:
            if self._killed:
                self._start()

    def _start(self) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=serve, args=(self.folder, theirs), daemon=True
        )
        self._process.start()
        self._killed = False
        self._url = f"http://127.0.0.1:{ours.recv()}"


def serve(folder: Path, told: Any) -> None:
    """Be the service."""
    jump = folder / "jump"
    clock = LedgerClock(wall=lambda: time.time() + (float(jump.read_text() or 0) if jump.exists() else 0.0))
    spec = RetuneSpec(
        models={model: ModelSpec(spec="unused") for model in MODELS},
        act_on=KINDS,
        cool_down=f"{COOL_DOWN:g}s",
        daily_budget=1_000,
        poll_seconds=0.1,
        claim_seconds=1.0,
    )
    runs = LocalRuns(
        folder / "runs", lambda launch, out: ["sh", "-c", f"echo {launch.key} >> {folder / 'ran'}"]
    )
    surroundings = Surroundings(lambda model: "1", lambda model: "", labels_unknown)
    trigger = Trigger(spec, Ledger(f"sqlite:///{folder / 'retune.db'}", clock), runs, surroundings)
    admission = Admission(at_once=32, a_second=10_000.0, burst=10_000)
    app = create_app(trigger, BearerToken(TOKEN, None, key="token"), admission)
    port = free_port()
    threading.Timer(0.2, lambda: told.send(port)).start()
    run_service("retune", app, "127.0.0.1", port, trigger.watch)


def free_port() -> int:
    """A port that is free now."""
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    main()
