"""What a simulation tells when it is over."""

from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from minorkey.simulation.stream import Sent, Tally

__all__ = ["answered_rows", "summary"]


def answered_rows(tally: Tally) -> pd.DataFrame:
    """The answered rows as a table."""
    return pd.DataFrame([asdict(row) for row in tally.rows], columns=[one.name for one in fields(Sent)])


def summary(tally: Tally) -> list[str]:
    """Lines for people."""
    labels = np.array([row.label for row in tally.rows])
    called = np.array([row.predicted for row in tally.rows])
    lines = [f"{len(labels):,} rows answered, {labels.sum():,} positive, {called.sum():,} called positive"]
    if tally.seconds:
        half, most = np.percentile(tally.seconds, [50, 99]) * 1_000
        lines.append(f"latency p50 {half:.2f} ms, p99 {most:.2f} ms over {len(tally.seconds):,} requests")
    lines.append(f"failed requests: {_counted(tally.failed) or 'none'}")
    if tally.refused or tally.accepted:
        lines.append(f"spoilt requests: {tally.refused:,} refused, {tally.accepted:,} taken for whole")
    if tally.labels or tally.labels_failed:
        lines.append(f"labels: {tally.labels:,} taken, {sum(tally.labels_failed.values()):,} not")
    if tally.labels_failed:
        lines.append(f"labels not taken: {_counted(tally.labels_failed)}")
    return lines


def _counted(causes: dict[str, int]) -> str:
    return ", ".join(f"{cause}: {count:,}" for cause, count in sorted(causes.items()))
