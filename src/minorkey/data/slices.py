"""Whether the test can be cut into the slices that a spec asks for."""

from collections.abc import Iterable

from minorkey.data.dataset import Schema
from minorkey.data.sources.table import did_you_mean
from minorkey.errors import SpecError

__all__ = ["check_slices"]


def check_slices(schema: Schema, columns: Iterable[str]) -> None:
    """Refuse slices by a column that is not a feature.

    Args:
        schema: the data set's features, and the columns that are none.
        columns: what ``evaluate.slices`` names.

    Raises:
        SpecError: naming the column, why it is no feature, and the features.
    """
    names = schema.names()
    for column in columns:
        if column in names:
            continue
        reason = schema.left_out.get(column, "")
        raise SpecError(
            "a slice needs a feature of the data",
            key="evaluate.slices",
            value=f"{column} ({reason})" if reason else column,
            allowed=", ".join(names),
            remedy="name it in data.keep, if it is known before the outcome is"
            if reason
            else did_you_mean(column, names) or "name one of the features",
        )
