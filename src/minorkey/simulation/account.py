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
    failed = ", ".join(f"{what}: {count:,}" for what, count in sorted(tally.failed.items()))
    lines.append(f"failed requests: {failed or 'none'}")
    if tally.refused or tally.accepted:
        lines.append(f"spoilt requests: {tally.refused:,} refused, {tally.accepted:,} taken for whole")
    if tally.labels or tally.labels_failed:
        lines.append(f"labels: {tally.labels:,} taken, {tally.labels_failed:,} not")
    return lines
