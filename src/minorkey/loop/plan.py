"""What the loop plays: how many rows, how fast, where the concept drifts; and its data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from minorkey.data.cards import generate_cards
from minorkey.errors import SpecError

__all__ = ["MODEL", "TARGET", "LoopData", "Plan", "prepare", "run_spec"]

MODEL = "loop"
TARGET = "fraud"
_TIME = "time"
#: Identifiers; and the moment of the label, because here labels come within seconds.
_LEFT_OUT = ("transaction_id", "customer", "terminal", "label_time")
#: The specification takes no larger seed.
_MOST_SEED = 2**31 - 1
#: An hour of stream is generated in memory.
_MOST_SECONDS = 3_600


@dataclass(frozen=True)
class Plan:
    """A loop's size and pace. The data's days pass `rate` / `rows_a_day` of them a second.

    Attributes:
        rows_a_day: of the data.
        fraud_share: share of positives; high, so that minutes hold enough of them.
        history_days: what the first model learns from.
        healthy_seconds: of the stream before the fraudsters change their ways.
        longest_seconds: of the stream; it ends sooner when the model has recovered.
        after_seconds: of the stream after the swap, at least.
        rate: rows a second.
        batch: rows a request.
        label_seconds: until every label that comes has come.
        horizon_seconds: age at which a row without a label counts as negative.
        cool_down_seconds: between two retunes.
        trials: of each search.
        seed: of everything random.
    """

    rows_a_day: int = 1_000
    fraud_share: float = 0.05
    history_days: int = 24
    healthy_seconds: int = 40
    longest_seconds: int = 330
    after_seconds: int = 40
    rate: int = 200
    batch: int = 10
    label_seconds: float = 4.0
    horizon_seconds: int = 6
    cool_down_seconds: int = 20
    trials: int = 6
    seed: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= _MOST_SEED:
            raise SpecError(
                "the seed does not fit", key="--seed", value=self.seed, allowed=f"0 to {_MOST_SEED}"
            )
        if not self.healthy_seconds < self.longest_seconds <= _MOST_SECONDS:
            raise SpecError(
                "the length of the stream does not fit",
                key="--longest",
                value=self.longest_seconds,
                allowed=f"above {self.healthy_seconds}, when the concept drifts, to {_MOST_SECONDS} seconds",
            )

    @property
    def drift_day(self) -> int:
        """Day of the data, counted from 0, on which the concept changes."""
        return self.history_days + round(self.healthy_seconds * self.rate / self.rows_a_day)

    @property
    def days(self) -> int:
        """Days of the data in all."""
        return self.history_days + -(-self.longest_seconds * self.rate // self.rows_a_day)


@dataclass(frozen=True)
class LoopData:
    """The data of a loop.

    Attributes:
        history: file of what the first model learns from.
        stream: file of what comes after, in the order in which it comes.
        rows: of the stream.
        first_drifted: number of the first row of the new concept.
    """

    history: Path
    stream: Path
    rows: int
    first_drifted: int


def prepare(plan: Plan, folder: Path) -> LoopData:
    """Generate the card transactions and cut them into history and stream."""
    frame = generate_cards(
        rows=plan.rows_a_day * plan.days,
        days=plan.days,
        drift_day=plan.drift_day,
        fraud_share=plan.fraud_share,
        label_delay_days=1.0,
        seed=plan.seed,
    )
    day = (frame[_TIME] - frame[_TIME].iloc[0].normalize()) / pd.Timedelta(days=1)
    past = day < plan.history_days
    folder.mkdir(parents=True, exist_ok=True)
    made = LoopData(
        folder / "history.parquet",
        folder / "stream.parquet",
        int((~past).sum()),
        int((~past & (day < plan.drift_day)).sum()),
    )
    frame[past].to_parquet(made.history, index=False)
    frame[~past].to_parquet(made.stream, index=False)
    return made


def run_spec(plan: Plan, source: Path, port: int) -> dict[str, Any]:
    """The run specification of the first model and of every retune.

    Args:
        plan: its trials and seed.
        source: file of the rows.
        port: of the predictor.
    """
    return {
        "model": MODEL,
        "seed": plan.seed,
        "data": {
            "source": str(source),
            "target": TARGET,
            "positive": 1,
            "event_time": _TIME,
            "drop": list(_LEFT_OUT),
        },
        "split": {"kind": "time", "folds": 3},
        "search": {
            "trials": plan.trials,
            "families": ["lightgbm", "hist_gradient_boosting", "logistic_regression"],
            "resamplers": ["none"],
            "finalists": 2,
            "ensemble": 1,
        },
        "evaluate": {
            "bootstraps": 300,
            "intended_use": "The card transactions of `make loop`; of no use elsewhere.",
        },
        "deploy": {"target": "local", "port": port},
        "monitor": {"label_horizon": f"{plan.horizon_seconds}s"},
    }
