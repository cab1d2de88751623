"""A worker process: runs one task after another, as its standard input says.

Started as ``python -m minorkey.trials.worker``. Both directions carry one JSON object a line. It ends
itself when its standard input closes, which is when its parent has died.

In: ``{"kind": "run", "name", "function", "arguments"}``, ``{"kind": "answer", "go"}``.
Out: ``{"kind": "report", "name", "step", "value", "folds"}``, ``{"kind": "ended", "name", "outcome", ...}``.
"""

import ctypes
import importlib
import json
import math
import os
import queue
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO

from minorkey.errors import ContractError
from minorkey.trials.executor import NotANumberError
from minorkey.trials.trial import Outcome

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve tasks until standard input closes."""
    _die_with_parent()
    channel = _take_standard_output()
    inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    while True:
        message = inbox.get()
        if message["kind"] == "run":
            _send(channel, _run(message, channel, inbox))


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_standard_output() -> TextIO:
    """Keep standard output for messages; whatever libraries print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return channel


def _listen(inbox: "queue.SimpleQueue[dict[str, Any]]") -> None:
    for line in sys.stdin.buffer:
        inbox.put(json.loads(line))
    os._exit(0)


def _send(channel: TextIO, message: dict[str, Any]) -> None:
    channel.write(json.dumps(message) + "\n")
    channel.flush()


def _run(
    message: dict[str, Any], channel: TextIO, inbox: "queue.SimpleQueue[dict[str, Any]]"
) -> dict[str, Any]:
    name = message["name"]

    def report(step: int, value: float, folds: Sequence[float] = ()) -> bool:
        if not math.isfinite(value):
            raise NotANumberError(f"the value reported at step {step} is {value}")
        _send(
            channel,
            {"kind": "report", "name": name, "step": step, "value": float(value), "folds": list(folds)},
        )
        return bool(inbox.get()["go"])

    started, cpu = time.monotonic(), _cpu_seconds()
    ended = _outcome(message["function"], message["arguments"], report)
    return {
        "kind": "ended",
        "name": name,
        **ended,
        "seconds": time.monotonic() - started,
        "cpu_seconds": _cpu_seconds() - cpu,
    }


def _outcome(function: str, arguments: dict[str, Any], report: Callable[..., bool]) -> dict[str, Any]:
    try:
        content = _resolve(function)(report, **arguments)
        # Round trip here, where a value that is no JSON content is the task's own failure.
        return {"outcome": Outcome.COMPLETE, "content": json.loads(json.dumps(content, allow_nan=False))}
    except NotANumberError as error:
        return {"outcome": Outcome.NOT_A_NUMBER, "error": _one_line(error)}
    except MemoryError as error:
        return {"outcome": Outcome.OUT_OF_MEMORY, "error": _one_line(error)}
    except Exception as error:
        number = error.errno if isinstance(error, OSError) and error.errno else 0
        return {"outcome": Outcome.CRASHED, "error": _one_line(error), "errno": number}


def _resolve(function: str) -> Callable[..., Any]:
    module, _, name = function.partition(":")
    found = getattr(importlib.import_module(module), name, None)
    if not callable(found):
        raise ContractError(f"{function!r} does not name a function as module:function")
    return found


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:500]


def _cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
