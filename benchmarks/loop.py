"""What the loop regains: of what a new concept costs, how much comes back, and when.

    python -m benchmarks.loop [--seeds 3]

Plays `minorkey loop` with each seed (about five minutes of two cores) and judges, on the rows after the swap:
the loop as it answered; never retuning (the first version's calls); the first version's configuration fitted
once more when the loop decided to act, on all rows that were mature then, with no trials and no gate; such a
fit on every day's rows; and an oracle, the same search on as many rows of the new concept alone as the first
model had of the old one. Each fit is cut at a threshold of its own.

regained = (new - stale) / (oracle - stale), in Matthews correlation; intervals by bootstrap of the rows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import yaml

from benchmarks.recording import record
from minorkey.bundle.bundle import Bundle
from minorkey.data.cards import generate_cards
from minorkey.data.dataset import Dataset
from minorkey.data.loading import load_dataset
from minorkey.data.preprocessing import Preprocessor
from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.evaluation.thresholds import choose_threshold
from minorkey.loop.plan import Plan, run_spec
from minorkey.models import family
from minorkey.spec import RunSpec, ThresholdSpec
from minorkey.trials.trial import Configuration

BOOTSTRAPS = 2_000
Calls = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    started = time.monotonic()
    found = []
    for seed in range(3, 3 + asked.seeds):
        with tempfile.TemporaryDirectory(prefix="minorkey-loop-") as folder:
            found.append(played(seed, Path(folder)))
        print(json.dumps(found[-1], indent=1), flush=True)
    closed = [one for one in found if one["closed"]]
    if not closed:
        raise SystemExit(
            "no loop closed, so there is nothing to record: is the machine busy with other work?"
        )
    summary = {
        "closed": f"{len(closed)} of {len(found)}",
        "regained": mean(closed, "loop", "regained"),
        "regained_by_one_refit": mean(closed, "refitted_once", "regained"),
        "regained_by_daily_refits": mean(closed, "daily", "regained"),
        "seconds_from_harm_to_champion": round(float(np.mean([one["harm_to_swap_s"] for one in closed])), 1),
    }
    record("loop", {"summary": summary, "seeds": found}, started=started)
    if len(closed) < len(found):
        raise SystemExit(f"only {summary['closed']} loops closed")


def mean(found: list[dict[str, Any]], policy: str, figure: str) -> float:
    return round(float(np.mean([one[policy][figure] for one in found])), 3)


def played(seed: int, folder: Path) -> dict[str, Any]:
    """One loop, and its policies on the rows after the swap."""
    out = folder / "loop"
    ended = subprocess.run(
        [sys.executable, "-m", "minorkey", "loop", "--out", str(out), "--seed", str(seed)], check=False
    )
    account = json.loads((out / "loop.json").read_text(encoding="utf-8"))
    told = {"seed": seed, "closed": ended.returncode == 0, "checks_missed": missed(account)}
    moments = {one["key"]: one["seconds"] for one in account["moments"]}
    if not told["closed"]:
        return told
    plan = Plan(seed=seed)
    answers = pd.read_parquet(out / "answers.parquet").sort_values("time")
    later = answers[answers["version"] != answers["version"].iloc[0]]
    stream = read(plan, out / "data" / "stream.parquet")
    rows, y = later["row"].to_numpy(), later["label"].to_numpy(bool)
    first = Bundle.load(out / "first" / "bundle")
    stale = called(first, stream, rows)
    oracle = called(trained_oracle(plan, folder), stream, rows)
    refits = Refits(plan, first, read(plan, out / "data" / "history.parquet"), stream)
    elapsed = answers["time"] - answers["time"].iloc[0]
    decided = int(answers["row"][elapsed <= moments["decided"]].max()) + 1
    return told | {
        "rows": len(rows),
        "positives": int(y.sum()),
        "fix": [stage["name"] for stage in account["fix"]["stages"]],
        "drift_to_harm_s": round(moments["harm"] - moments["drift"], 1),
        "drift_to_alert_s": round(moments["alert"] - moments["drift"], 1),
        "harm_to_swap_s": round(moments["swap"] - moments["harm"], 1),
        "failed_requests": account["failed"],
        "never": {"mcc": mcc(y, stale)},
        "loop": judged(y, later["predicted"].to_numpy(bool), stale, oracle, seed),
        "refitted_once": judged(y, refits.once(decided, rows), stale, oracle, seed),
        "daily": judged(y, refits.daily(rows), stale, oracle, seed),
        "oracle": {"mcc": mcc(y, oracle)},
    }


def missed(account: dict[str, Any]) -> list[str]:
    return [check["key"] for check in account["checks"] if not check["met"]]


def read(plan: Plan, file: Path) -> Dataset:
    section = run_spec(plan, file, 0)["data"]
    return load_dataset(RunSpec.model_validate({"data": section}).data).dataset


def called(bundle: Bundle, data: Dataset, rows: Rows) -> Calls:
    return bundle.score(data.features.iloc[rows])[1] >= bundle.info.threshold


def trained_oracle(plan: Plan, folder: Path) -> Bundle:
    """The loop's search on rows of the new concept alone, drawn with another seed."""
    frame = generate_cards(
        rows=plan.rows_a_day * (plan.history_days + 1),
        days=plan.history_days + 1,
        drift_day=1,
        fraud_share=plan.fraud_share,
        label_delay_days=1.0,
        seed=plan.seed + 1_000,
    )
    day = (frame["time"] - frame["time"].iloc[0].normalize()) / pd.Timedelta(days=1)
    frame[day >= 1].to_parquet(folder / "oracle.parquet", index=False)
    spec = run_spec(plan, folder / "oracle.parquet", 0) | {"model": "oracle", "deploy": {"target": "none"}}
    (folder / "oracle.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
    command = [sys.executable, "-m", "minorkey", "run", str(folder / "oracle.yaml"), "--quiet"]
    environment = {"MINORKEY_HOME": str(folder / "home")}
    subprocess.run([*command, "--out", str(folder / "oracle")], check=True, env={**os.environ, **environment})
    return Bundle.load(folder / "oracle" / "bundle")


class Refits:
    """New fits of the first version's configuration, on history and what has come of the stream since."""

    def __init__(self, plan: Plan, first: Bundle, history: Dataset, stream: Dataset) -> None:
        best = max(first.info.configuration, key=lambda member: member["weight"])
        self._configuration = Configuration.from_json(
            {name: v for name, v in best.items() if name != "weight"}
        )
        self._plan = plan
        self._history = history
        self._stream = stream

    def once(self, at: int, rows: Rows) -> Calls:
        """The calls of `rows` by a fit on what was mature when row `at` of the stream came."""
        known = np.arange(max(0, at - self._plan.horizon_seconds * self._plan.rate))
        return self._fitted_calls(known, rows)

    def daily(self, rows: Rows) -> Calls:
        """The calls of `rows`, each by a fit on what was mature when its day of the data began."""
        found = np.zeros(len(rows), dtype=bool)
        for begin in range(int(rows.min()), int(rows.max()) + 1, self._plan.rows_a_day):
            inside = (rows >= begin) & (rows < begin + self._plan.rows_a_day)
            if inside.any():
                found[inside] = self.once(begin, rows[inside])
        return found

    def _fitted_calls(self, known: Rows, asked: Rows) -> Calls:
        """The threshold comes from a fit without the newest fifth of the known rows."""
        features = pd.concat([self._history.features, self._stream.features.iloc[known]], ignore_index=True)
        y = np.concatenate([self._history.y, self._stream.y[known]])
        kept = len(y) - len(known) // 5
        chosen = family(self._configuration.family)

        def scores(until: int, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
            part = features.iloc[:until]
            prepared = Preprocessor.fit(
                part, self._history.schema, chosen.encoding, interactions=self._configuration.interactions
            )
            model = dict(self._configuration.model)
            fitted = chosen.fit(
                prepared.transform(part), y[:until], np.ones(until), model, seed=self._plan.seed
            )
            return np.asarray(fitted.score(prepared.transform(rows)))

        threshold = choose_threshold(
            y[kept:], scores(kept, features.iloc[kept:]), ThresholdSpec(), seed=self._plan.seed
        )
        return scores(len(y), self._stream.features.iloc[asked]) >= threshold


def judged(y: Calls, calls: Calls, stale: Calls, oracle: Calls, seed: int) -> dict[str, Any]:
    """Matthews correlation, and the share regained with its 95 % interval."""
    random = np.random.default_rng(seed)
    drawn = random.multinomial(len(y), np.full(len(y), 1 / len(y)), BOOTSTRAPS)
    new, old, best = (mcc_of(drawn @ cells(y, one).T) for one in (calls, stale, oracle))
    low, high = np.percentile((new - old) / (best - old), [2.5, 97.5])
    regained = (mcc(y, calls) - mcc(y, stale)) / (mcc(y, oracle) - mcc(y, stale))
    return {
        "mcc": mcc(y, calls),
        "regained": round(float(regained), 3),
        "interval": [round(float(low), 3), round(float(high), 3)],
    }


def cells(y: Calls, calls: Calls) -> npt.NDArray[np.int64]:
    return np.stack([y & calls, ~y & calls, y & ~calls, ~y & ~calls]).astype(np.int64)


def mcc(y: Calls, calls: Calls) -> float:
    return round(float(mcc_of(cells(y, calls).sum(axis=1)[None])[0]), 4)


def mcc_of(counted: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return matthews_corrcoef(Confusion(*counted.T.astype(np.float64)))


if __name__ == "__main__":
    main()
