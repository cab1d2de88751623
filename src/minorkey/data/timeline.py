"""When each label becomes known, and which entities are known to be positive by then."""

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from minorkey.data.dataset import MISSING, Dataset, Labels
from minorkey.data.durations import DAY
from minorkey.data.partitions import Positions
from minorkey.errors import DataError

__all__ = ["MATURE", "Mask", "Timeline"]

Mask = npt.NDArray[np.bool_]
#: Share of the labels that must be there at the age from which on rows are trained on.
MATURE = 0.95

Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Timeline:
    """The times of a data set's rows, in seconds since 1970-01-01 UTC.

    Attributes:
        event: shape (n,), when the row happened.
        label: shape (n,), when the source says its label became known; -inf where it says nothing,
            inf where that has not happened yet.
        y: shape (n,).
        delay: seconds after its event from which on a label may be used.
        maturity: age in seconds from which on a row may be trained on, at least `delay`. Where the
            source tells when labels came, it is the age at which `MATURE` of them are there: a
            younger row's label is known early only because of what it says (a fraud is reported, its
            absence is not), so training on those would distort the share of positives.
        entity: shape (n,), codes, negative where missing; None if known entities stay in.
    """

    event: Times
    label: Times
    y: Labels
    delay: float
    maturity: float
    entity: npt.NDArray[np.intp] | None

    @classmethod
    def of(cls, dataset: Dataset, *, delay: float, exclude_known: bool) -> Self:
        """The timeline of a data set that has an event time.

        Raises:
            DataError: an event time is missing.
        """
        event = dataset.event_time
        if event is None or not np.isfinite(event).all():
            missing = len(dataset) if event is None else int((~np.isfinite(event)).sum())
            raise DataError(
                "a split by time needs the event time of every row",
                key=dataset.schema.roles.get("event_time", "data.event_time"),
                value=f"{missing:,} rows without one",
                remedy="fill or drop those rows, or set split.kind: hash",
            )
        label, maturity = np.full(len(event), -np.inf), delay
        if dataset.label_time is not None:
            label = np.where(np.isnan(dataset.label_time), np.inf, dataset.label_time)
            came = np.isfinite(label)
            maturity = max(delay, float(np.quantile((label - event)[came], MATURE))) if came.any() else delay
        entity = None
        if exclude_known and dataset.entity is not None:
            entity = pd.factorize(dataset.entity)[0]
            entity = np.where(dataset.entity == MISSING, -1, entity)
        return cls(event=event, label=label, y=dataset.y, delay=delay, maturity=maturity, entity=entity)

    def take(self, rows: Positions) -> "Timeline":
        """The timeline of some rows."""
        return dataclasses.replace(
            self,
            event=self.event[rows],
            label=self.label[rows],
            y=self.y[rows],
            entity=None if self.entity is None else self.entity[rows],
        )

    @property
    def known_at(self) -> Times:
        """From when on each row may be trained on, shape (n,)."""
        return np.maximum(self.event + self.maturity, self.label)

    def trainable(self, cut: float) -> Mask:
        """Mature rows whose label is known at the moment of the cut, shape (n,)."""
        return (self.event < cut - self.maturity) & (self.label <= cut)

    @property
    def judgeable(self) -> Mask:
        """Rows that may be in the test, shape (n,): all, unless some labels are not known yet.

        Then only rows old enough that nearly all labels are known: among younger ones those that are known
        already are known because of what they say.
        """
        known = self.label < np.inf
        if known.all():
            return known
        now = max(float(self.event.max()), float(self.label[known].max(initial=-np.inf)))
        return known & (self.event <= now - self.maturity)

    def already_known(self, train: Mask, cut: float | None, since: float = -np.inf) -> Mask:
        """Rows whose entity has a positive that is known on the row's day, shape (n,).

        Known are the positives in training, and later ones whose label is out when the row's day
        begins. All False unless entities are to be excluded.

        Args:
            train: shape (n,), the training rows.
            cut: when validation or test begins, from where days count; None: only positives in
                training are known.
            since: positives that happened before this do not count.
        """
        if self.entity is None:
            return np.zeros(len(self.y), dtype=bool)
        counted = (self.y == 1) & (self.entity >= 0) & (self.event >= since)
        out = np.maximum(np.nextafter(self.event + self.delay, np.inf), self.label)
        out = np.where(train, -np.inf, out)
        first = np.full(int(self.entity.max(initial=-1)) + 1, np.inf)
        np.minimum.at(first, self.entity[counted], out[counted])
        day = np.full(len(self.y), -np.inf)
        if cut is not None:
            day = cut + np.floor((self.event - cut) / DAY) * DAY
        return (self.entity >= 0) & (np.append(first, np.inf)[self.entity] <= day)
