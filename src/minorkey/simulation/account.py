"""What a simulation tells when it is over."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from minorkey.errors import SpecError
from minorkey.simulation.stream import Tally

__all__ = ["check_out", "summary", "write_rows"]

_FORMATS = (".csv", ".parquet")
_COLUMNS = ("id", "time", "label", "score", "predicted", "version", "intensity")


def check_out(out: Path | None) -> None:
    """Refuse a file of another format before any row goes out.

    Raises:
        SpecError: the suffix says no format.
    """
    if out is not None and out.suffix.lower() not in _FORMATS:
        raise SpecError(
            "the format of the output is not known",
            key="--out",
            value=out.name,
            allowed=" or ".join(_FORMATS),
            remedy="give the file one of these suffixes",
        )


def write_rows(tally: Tally, out: Path) -> None:
    """Write the answered rows aside and rename the file into place."""
    frame = pd.DataFrame([asdict(row) for row in tally.rows], columns=list(_COLUMNS))
    aside = out.with_name(f".{out.name}.partial")
    if out.suffix.lower() == ".csv":
        frame.to_csv(aside, index=False)
    else:
        frame.to_parquet(aside, index=False)
    aside.replace(out)


def summary(tally: Tally) -> list[str]:
    """Lines for people."""
    labels = np.array([row.label for row in tally.rows])
    called = np.array([row.predicted for row in tally.rows])
    lines = [f"{len(labels):,} rows answered, {labels.sum():,} positive, {called.sum():,} called positive"]
    if tally.seconds:
        half, most = np.percentile(tally.seconds, [50, 99]) * 1_000
        lines.append(f"latency p50 {half:.2f} ms, p99 {most:.2f} ms over {len(tally.seconds):,} requests")
    failed = ", ".join(f"{what}: {count:,}" for what, count in sorted(tally.failed.items()))
    lines.append(f"failed requests: {failed or 'none'}")
    if tally.refused or tally.accepted:
        lines.append(f"spoilt requests: {tally.refused:,} refused, {tally.accepted:,} taken for whole")
    if tally.labels or tally.labels_failed:
        lines.append(f"labels: {tally.labels:,} taken, {tally.labels_failed:,} not")
    return lines
