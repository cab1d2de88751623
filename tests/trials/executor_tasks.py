"""Tasks that the contract suite of executors runs: each does one thing that a trial may do."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minorkey.trials.executor import NotANumberError

Report = Callable[..., bool]


def echo(report: Report, *, value: Any, threads: int) -> dict[str, Any]:
    found = {"omp": os.environ["OMP_NUM_THREADS"], "waiting": os.environ["OMP_WAIT_POLICY"]}
    return {"value": value, "threads": threads, "pid": os.getpid(), **found}


def climb(report: Report, *, values: list[float], threads: int) -> dict[str, Any]:
    for step, value in enumerate(values):
        if not report(step, value, values[: step + 1]):
            return {"stopped": step}
    return {"stopped": None}


def fail(report: Report, *, text: str, threads: int) -> dict[str, Any]:
    raise ValueError(text)


def no_number(report: Report, *, threads: int) -> dict[str, Any]:
    raise NotANumberError("nan")


def report_no_number(report: Report, *, threads: int) -> dict[str, Any]:
    report(0, float("nan"))
    return {}


def hang(report: Report, *, threads: int) -> dict[str, Any]:
    while True:
        time.sleep(60)


def report_and_hang(report: Report, *, threads: int) -> dict[str, Any]:
    report(0, 1.0)
    return hang(report, threads=threads)


def hoard(report: Report, *, threads: int) -> dict[str, Any]:
    held = []
    while True:
        held.append(bytearray(b"x") * (16 << 20))


def die(report: Report, *, last_words: str, threads: int) -> dict[str, Any]:
    print("this is not a message")
    print(last_words, file=sys.stderr, flush=True)
    os._exit(7)


def full_disk(report: Report, *, threads: int) -> dict[str, Any]:
    raise OSError(28, "No space left on device")


def end_once(report: Report, *, marker: str, signal_number: int, threads: int) -> dict[str, Any]:
    """Ends its own worker from outside, as a platform does, the first time that it runs."""
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal_number)
        signal.pause()
    return {"survived": True}
