"""Detection: minorkey's alerts beside river's detectors, at the same rate of false alarms.

    python -m benchmarks.detection [--quick]

Episodes of 65 days with 528 rows a day; drift begins after 30. Generated streams, and electricity with its
weeks drawn anew (`benchmarks.detection_streams`), are drifted by the product's own simulator: covariate,
prior and concept, each abrupt, gradual and recurring, in three strengths. Outcomes are known seven days late,
and delays include that. Every detector's one knob is set on null streams of its own, to half a false alarm a
month; "as shipped" is minorkey with its own limits. minorkey looks once an hour and holds for two, as its
alerts do.

Tables are split by access to outcomes. Without them river's detectors follow the score and the three most
important numeric features (KSWIN means of the score), with them the errors of the calls. No detector can see
a change of concept without outcomes: what it detects there is luck. The ratio compares with the delay that
Lorden's bound allows at this rate of false alarms, given the true divergence of what can be seen, plus the
seven days where outcomes are needed; over abrupt drifts that were detected: those missed would raise it.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.detection_scoring import Judged, f1, judge, lorden_rows
from benchmarks.detection_streams import (
    DAY,
    END,
    KINDS,
    Stream,
    electricity,
    episodes,
    generated,
    null_stream,
    sea,
)
from benchmarks.detection_watchers import HORIZON, Watcher, watchers
from benchmarks.recording import optional_data_folder, record

#: False alarms a model-month that every detector is set to.
TARGET = 0.5
_MONTH = 30 * DAY
_HALVINGS = 6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="27 episodes of each sort instead of 216 and 27")
    asked = parser.parse_args()
    started = time.monotonic()
    pool = generated()
    nulls = [null_stream(pool, END, seed) for seed in range(3 if asked.quick else 12)]
    knobs = {watcher: calibrated(watcher, nulls) for watcher in watchers()}
    result: dict[str, Any] = {
        "false_alarms_a_month_set": TARGET,
        "null_months": round(len(nulls) * END / 30, 1),
        "generated": tables(episodes(pool, 1 if asked.quick else 8), nulls, knobs),
    }
    show(result["generated"])
    folder = optional_data_folder()
    if folder is not None:
        pool = electricity(folder)
        nulls = [null_stream(pool, END, 1_000 + seed) for seed in range(3 if asked.quick else 6)]
        own = {watcher: calibrated(watcher, nulls) for watcher in knobs}
        result["electricity"] = tables(episodes(pool, 1), nulls, own)
        show(result["electricity"])
        result["sea_abrupt"] = illustration(sea(folder), knobs)
        print(result["sea_abrupt"])
    record("detection", result, started=started)


def calibrated(watcher: Watcher, nulls: Sequence[Stream]) -> float:
    """The most sensitive knob, by halving, with at most `TARGET` alarms a month on the null streams."""
    low, high = np.log(watcher.knob)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rate(watcher, nulls, float(np.exp(middle))) <= TARGET:
            low = middle
        else:
            high = middle
    print(
        f"{watcher.name} ({'with' if watcher.labels else 'without'} outcomes): {np.exp(low):.3g}", flush=True
    )
    return float(np.exp(low))


def access(watcher: Watcher) -> str:
    """Which table it belongs to."""
    return "with outcomes" if watcher.labels else "without outcomes"


def rate(watcher: Watcher, nulls: Sequence[Stream], knob: float) -> float:
    """Alarms a month."""
    alarms = sum(len(watcher.alarms(stream, knob, np.inf)) for stream in nulls)
    return alarms * _MONTH / sum(len(stream.rows) for stream in nulls)


def tables(
    streams: Sequence[Stream], nulls: Sequence[Stream], knobs: dict[Watcher, float]
) -> dict[str, dict[str, Any]]:
    """One table without outcomes and one with them."""
    found: dict[str, dict[str, Any]] = {"without outcomes": {}, "with outcomes": {}}
    for watcher, knob in knobs.items():
        table = found[access(watcher)]
        settings = {"": knob}
        if watcher.name.startswith("minorkey"):
            settings[", as shipped"] = watcher.usual
        for suffix, chosen in settings.items():
            table[watcher.name + suffix] = row(watcher, streams, chosen) | {
                "at_its_default_false_alarms_a_month": round(rate(watcher, nulls, watcher.usual), 2)
            }
    return found


def row(watcher: Watcher, streams: Sequence[Stream], knob: float) -> dict[str, Any]:
    """What a watcher comes to on episodes."""
    late = HORIZON if watcher.labels else 0
    judged: list[Judged] = []
    ratios = []
    for stream in streams:
        onset = stream.onset or 0
        earliest = onset + late
        one = judge(watcher.alarms(stream, knob, earliest), onset, earliest, len(stream.rows))
        judged.append(one)
        if one.delay is not None and stream.shape == "abrupt" and stream.information is not None:
            told = stream.information[0 if watcher.labels else 1][onset:]
            bound = lorden_rows(_MONTH / TARGET, told)
            if np.isfinite(bound):
                ratios.append(one.delay / (bound + late))
    by_kind = {
        kind: [one for one, stream in zip(judged, streams, strict=True) if stream.kind == kind]
        for kind in KINDS
    }
    return {
        "knob": float(f"{knob:.3g}"),
        "f1": round(f1(judged), 3),
        "recall": recall(judged),
        "recall_by_kind": {kind: recall(ones) for kind, ones in by_kind.items()},
        "mean_delay_days": delay_days(judged),
        "mean_delay_days_by_kind": {kind: delay_days(ones) for kind, ones in by_kind.items()},
        "false_alarms_a_month": round(
            sum(one.false_alarms for one in judged) * _MONTH / sum(stream.onset or 0 for stream in streams),
            3,
        ),
        "delay_over_lorden": round(float(np.mean(ratios)), 2) if ratios else None,
        "episodes": len(judged),
    }


def recall(judged: Sequence[Judged]) -> float:
    """Share of the episodes that were detected."""
    return round(sum(one.delay is not None for one in judged) / len(judged), 3)


def delay_days(judged: Sequence[Judged]) -> float | None:
    """Mean delay of the episodes that were detected."""
    delays = [one.delay for one in judged if one.delay is not None]
    return round(float(np.mean(delays)) / DAY, 1) if delays else None


def illustration(stream: Stream, knobs: dict[Watcher, float]) -> dict[str, Any]:
    """Rows of the file at which alarms came, with the knobs of the generated streams."""
    offset = 10_000 - (stream.onset or 0)
    return {
        f"{watcher.name}, {access(watcher)}": [
            int(alarm) + offset for alarm in watcher.alarms(stream, knob, np.inf)
        ][:12]
        for watcher, knob in knobs.items()
    }


def show(found: dict[str, dict[str, Any]]) -> None:
    """Both tables as text."""
    for access, table in found.items():
        print(f"\n{access:<42} {'F1':>5} {'recall':>6} {'delay/d':>7} {'false/mo':>8} {'/Lorden':>7}")
        for name, one in table.items():
            print(
                f"{name:<42} {one['f1']:>5} {one['recall']:>6} {one['mean_delay_days'] or '-':>7} "
                f"{one['false_alarms_a_month']:>8} {one['delay_over_lorden'] or '-':>7}  "
                f"{one['recall_by_kind']}",
                flush=True,
            )


if __name__ == "__main__":
    main()
