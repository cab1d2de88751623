"""Small canonical data sets for the tests of splits and stores."""

import numpy as np
import pandas as pd

from minorkey.data.dataset import Dataset, Feature, Schema
from minorkey.data.durations import DAY

START = float(pd.Timestamp("2025-01-06", tz="UTC").timestamp())


def make_dataset(
    n: int = 600,
    *,
    positives: int = 60,
    entities: int | None = None,
    days: float | None = None,
    seed: int = 0,
    distinct: int | None = None,
) -> Dataset:
    """Rows with one informative number, one noise number and one category.

    Args:
        n: rows.
        positives: rows of class 1, spread at random.
        entities: how many entities own the rows; None: no entity role.
        days: length of the period of the event times, ascending; None: no event time.
        seed: seed of everything random.
        distinct: how many distinct rows there are; the rest repeats them. None: all distinct.
    """
    rng = np.random.default_rng(seed)
    y = np.zeros(n, dtype=np.int8)
    y[rng.permutation(n)[:positives]] = 1
    content = np.arange(n) if distinct is None else rng.integers(distinct, size=n)
    values = np.random.default_rng(seed + 1).normal(size=n)
    features = pd.DataFrame(
        {
            "signal": values[content] + (y if distinct is None else 0.0),
            "noise": values[::-1][content],
            "kind": pd.Series(np.array(["a", "b", ""], dtype=object)[content % 3], dtype=object),
        }
    )
    schema = Schema(
        features=(
            Feature("signal", "numeric"),
            Feature("noise", "numeric"),
            Feature("kind", "categorical"),
        ),
        target="bad",
        positive="1",
        negative="0",
        roles={"entity": "customer"} if entities else {},
    )
    return Dataset(
        features=features,
        y=y,
        row_id=pd.util.hash_pandas_object(features, index=False).to_numpy(np.uint64),
        schema=schema,
        entity=None
        if entities is None
        else np.array([f"c{number}" for number in rng.integers(entities, size=n)], dtype=object),
        event_time=None if days is None else START + np.sort(rng.random(n)) * days * DAY,
    )
