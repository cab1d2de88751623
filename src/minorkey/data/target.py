"""Which value of the target is the rare event."""

import shlex
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING, Labels
from minorkey.data.encoding import label_text, text_values
from minorkey.data.sources.table import listed
from minorkey.errors import DataError

__all__ = ["MIN_POSITIVES", "Target", "resolve_target"]

#: Fewer rows of the rare class are refused: nothing can be fitted and judged on them.
MIN_POSITIVES = 4

_ALIASES = {"1": "true", "0": "false", "true": "1", "false": "0"}


@dataclass(frozen=True)
class Target:
    """The target as 0 and 1, and what they stand for. `assumption` is empty where the spec decided."""

    y: Labels
    positive: str
    negative: str
    assumption: str


def resolve_target(column: pd.Series, positive: str | int | float | bool | None) -> Target:
    """Code the target; unless the spec says otherwise the rarer value is the positive one.

    Raises:
        DataError: values are missing, there are not exactly two, the positive one is not among them,
            or it is too rare.
    """
    name = str(column.name)
    texts = text_values(column)
    _check_missing(texts, name)
    values, counts = np.unique(texts.astype(str), return_counts=True)
    _check_two(values, counts, name)
    order = np.argsort(counts, kind="stable")
    if counts[0] == counts[1]:
        order = order[::-1]
    assumption = ""
    if positive is None:
        rarer, other = values[order[0]], values[order[1]]
        assumption = (
            f"positive is {name} = {rarer}, the {'rarer' if counts[0] != counts[1] else 'later'} value "
            f"({counts[order[0]]:,} of {len(texts):,} rows); "
            f"--positive {shlex.quote(str(other))} turns it round"
        )
    else:
        rarer = _chosen(values, positive, name)
        other = values[1] if values[0] == rarer else values[0]
    y = (texts == rarer).astype(np.int8)
    if min(int(y.sum()), int((1 - y).sum())) < MIN_POSITIVES:
        small = rarer if y.sum() < MIN_POSITIVES else other
        raise DataError(
            "there are too few rows of one class",
            key=name,
            value=f"{int((texts == small).sum())} rows with {name} = {small}",
            allowed=f"at least {MIN_POSITIVES}",
            remedy="collect more rows of this class",
        )
    return Target(y, str(rarer), str(other), assumption)


def _check_missing(texts: npt.NDArray[np.object_], name: str) -> None:
    missing = np.flatnonzero(texts == MISSING)
    if len(missing):
        raise DataError(
            "the target has missing values",
            key=f"{name}, row {missing[0] + 1}",
            value=f"{len(missing):,} rows without a value",
            allowed="a value in every row",
            remedy="remove the rows whose outcome is not known",
        )


def _check_two(values: npt.NDArray[np.str_], counts: npt.NDArray[np.intp], name: str) -> None:
    if len(values) == 2:
        return
    shown = [f"{value} ({count:,} rows)" for value, count in zip(values[:21], counts[:21], strict=True)]
    raise DataError(
        "the target has only one class" if len(values) == 1 else "the target has more than two classes",
        key=name,
        value=f"{len(values):,} values: {listed(shown, 5)}",
        allowed="exactly two values",
        remedy="name another target, or add rows of the other class"
        if len(values) == 1
        else "name another target, or make it two values: the event and everything else",
    )


def _chosen(values: npt.NDArray[np.str_], positive: str | int | float | bool, name: str) -> str:
    text = label_text(positive)
    for candidate in (text, _ALIASES.get(text.lower(), text)):
        if candidate in values:
            return candidate
    raise DataError(
        "the target has no such value",
        key="data.positive",
        value=positive,
        allowed=f"{name} has the values {listed([str(value) for value in values])}",
    )
