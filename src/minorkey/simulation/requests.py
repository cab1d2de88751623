"""Bodies of inference requests, whole and spoilt."""

from typing import Any

import numpy as np

from minorkey.data.dataset import MISSING, Dataset
from minorkey.serving.columns import Columns
from minorkey.serving.verification import inference_body

__all__ = ["body", "spoilt"]


def body(
    data: Dataset,
    rows: Any,
    names: list[str],
    identity: str,
    missing: float,
    random: np.random.Generator,
    output: str = "",
) -> dict[str, Any]:
    """The request for some rows.

    Args:
        data: the data set.
        rows: shape (n,), positions.
        names: the features that the predictor asks for.
        identity: of the request.
        missing: share of the cells that are emptied.
        random: source of chance.
        output: the only output that is wanted; "": whatever the predictor answers.
    """
    columns: Columns = {name: data.features[name].to_numpy()[rows] for name in names}
    if missing > 0:
        texts = set(data.schema.names("categorical"))
        for name, values in columns.items():
            empty = random.random(len(values)) < missing
            columns[name] = np.where(empty, MISSING if name in texts else np.nan, values)
    wanted = {"outputs": [{"name": output}]} if output else {}
    return {"id": identity, "inputs": inference_body(columns)["inputs"], **wanted}


def spoilt(whole: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """The same request with a mistake that clients make; the predictor has to refuse it."""
    inputs = [dict(one) for one in whole["inputs"]]
    place = int(random.integers(len(inputs)))
    kind = int(random.integers(3))
    if kind == 0:
        del inputs[place]
    elif kind == 1:
        inputs[place]["shape"] = [int(inputs[place]["shape"][0]) + 1]
    else:
        inputs[place]["datatype"] = "FP65"
    return {**whole, "inputs": inputs}
