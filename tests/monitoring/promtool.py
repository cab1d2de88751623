"""Test files for `promtool test rules`: series, expectations, and running them."""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

IDENTITY = {"model": "cards", "version": "7"}
TOLERANCE = 1e-6


def selector(name: str, labels: Mapping[str, str]) -> str:
    """A series as PromQL writes it."""
    inside = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in labels.items())
    return f"{name}{{{inside}}}"


def series(name: str, labels: Mapping[str, str], values: str) -> dict[str, str]:
    """One input series."""
    return {"series": selector(name, labels), "values": values}


def steps(values: Sequence[float], *, cumulative: bool = False) -> str:
    """Values one by one; ``cumulative``: the sum of all up to each."""
    total, texts = 0.0, []
    for value in values:
        total += value
        texts.append(f"{total if cumulative else value:.17g}")
    return " ".join(texts)


def equals(at: int, record: str, labels: Mapping[str, str], value: float) -> dict[str, Any]:
    """Expects that a series is within `TOLERANCE` of a value: promtool itself knows only equality."""
    own = IDENTITY | labels
    test = f"abs({selector(record, own)} - {value:+.17g}) <= bool {TOLERANCE:g}"
    return {
        "eval_time": f"{at}s",
        "expr": test.replace("- +", "- ").replace("- -", "+ "),
        "exp_samples": [{"labels": selector("", own), "value": 1}],
    }


def absent(at: int, record: str) -> dict[str, Any]:
    """Expects that no series has the name."""
    return {"eval_time": f"{at}s", "expr": record, "exp_samples": []}


def text(rule_files: Iterable[str], step: int, order: Sequence[str], tests: list[dict[str, Any]]) -> str:
    """A whole test file.

    Args:
        rule_files: relative to the file.
        step: seconds between two evaluations.
        order: of the groups.
        tests: as promtool has them.
    """
    content = {
        "rule_files": list(rule_files),
        "evaluation_interval": f"{step}s",
        "group_eval_order": list(order),
        "tests": tests,
    }
    return yaml.safe_dump(content, sort_keys=False, width=110, allow_unicode=True)


def complaints(*arguments: str | Path) -> str:
    """What promtool says to arguments such as ``test rules FILE``; nothing if it is content."""
    return said("promtool", *arguments)


def said(*command: str | Path) -> str:
    """What a program says where it fails; nothing if it is content."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=250)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[:4_000]
