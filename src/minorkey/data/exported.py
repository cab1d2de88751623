"""The columns that an export of production rows adds: they tell of the prediction, not of the row."""

from collections.abc import Iterable

import pandas as pd

__all__ = ["COLUMNS", "WEIGHT", "told_of_rows"]

#: How many rows each row stands for, after thinning or in an audit slice.
WEIGHT = "minorkey_weight"
#: Where a row came from, and how many rows it stands for.
COLUMNS = ("minorkey_id", "minorkey_version", "minorkey_score", "minorkey_predicted_at", WEIGHT)


def told_of_rows(
    frame: pd.DataFrame, roles: dict[str, str], named: Iterable[str]
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """The rows without what an export added to them, the roles, and what was assumed.

    The score of the model that served would make a flattering feature, and no id of a row may depend on who
    predicted it. Weights that are not all 1 get the role of the weight.

    Args:
        frame: raw rows.
        roles: role to column.
        named: columns that the specification names, which stay.
    """
    added = [name for name in COLUMNS if name in frame.columns and name not in (*named, *roles.values())]
    if not added:
        return frame, roles, []
    told = []
    if WEIGHT in added and "weight" not in roles and (frame[WEIGHT] != 1).any():
        added.remove(WEIGHT)
        roles = {**roles, "weight": WEIGHT}
        told.append(f"{WEIGHT} is the weight of the rows, as the export wrote it")
    if added:
        told.append(f"left out {', '.join(added)}: they tell of the prediction, not of the row")
    return frame.drop(columns=added), roles, told
