"""Small raw frames with a real signal, and how they are written for the tests."""

from pathlib import Path

import numpy as np
import pandas as pd


def rare_frame(rows: int = 400, positives: int = 40, seed: int = 0) -> pd.DataFrame:
    """Rows with two informative numbers, one noise number, a category with gaps, and target ``fraud``."""
    rng = np.random.default_rng(seed)
    y = np.zeros(rows, dtype=int)
    y[rng.permutation(rows)[:positives]] = 1
    return pd.DataFrame(
        {
            "amount": rng.lognormal(size=rows) + y,
            "speed": rng.normal(size=rows) + 1.2 * y,
            "noise": rng.normal(size=rows),
            "channel": rng.choice(["web", "shop", "phone", None], size=rows),
            "fraud": y,
        }
    )


def write_csv(frame: pd.DataFrame, folder: Path, name: str = "rows.csv") -> str:
    path = folder / name
    frame.to_csv(path, index=False)
    return str(path)
