"""Where benchmarks find their data and leave their results."""

import importlib.metadata
import json
import os
import platform
import shlex
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["FOLDER_VARIABLE", "RESULTS", "data_folder", "optional_data_folder", "record"]

RESULTS = Path(__file__).parent / "results"
#: Names another folder for results; set by `python -m benchmarks` for short forms.
FOLDER_VARIABLE = "MINORKEY_BENCHMARK_RESULTS"
_VERSIONS = ("minorkey", "numpy", "scikit-learn", "lightgbm", "xgboost-cpu", "torch", "optuna", "onnxruntime")


def data_folder() -> Path:
    """The folder with the development data sets; ends the benchmark with a message where there is none."""
    folder = optional_data_folder()
    if folder is None:
        raise SystemExit(0)
    return folder


def optional_data_folder() -> Path | None:
    """The folder with the development data sets; None, with a message, where there is none."""
    folder = Path(os.environ.get("MINORKEY_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        print(f"skipped: no data folder {folder}; set MINORKEY_DATA to it")
        return None
    return folder


def record(name: str, result: dict[str, Any], *, started: float | None = None) -> None:
    """Write ``<name>.json`` in the folder of results with what is needed to reproduce it, and print it.

    Args:
        name: name of the file.
        result: the figures.
        started: ``time.monotonic()`` at the start, to record how long it took.
    """
    content = {
        "command": "python -m benchmarks." + shlex.join([Path(sys.argv[0]).stem, *sys.argv[1:]]),
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 2),
        },
        "seconds": None if started is None else round(time.monotonic() - started, 1),
        "versions": {package: importlib.metadata.version(package) for package in _VERSIONS},
        "result": result,
    }
    folder = Path(os.environ.get(FOLDER_VARIABLE, RESULTS))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    aside = path.with_suffix(".partial")
    aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)
    print(json.dumps(result, indent=1))
