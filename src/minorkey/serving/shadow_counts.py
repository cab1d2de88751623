"""What a predictor's metrics, and the feedback service's, tell of a challenger in shadow."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import numpy as np
import numpy.typing as npt
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from minorkey.errors import StateError

__all__ = ["Outcomes", "ShadowCounts", "outcomes_of", "read_metrics", "shadow_counts"]

_Table = npt.NDArray[np.float64]


def _table(*shape: int) -> _Table:
    return np.zeros(shape)


@dataclass
class ShadowCounts:
    """A challenger beside one champion, since the predictor began.

    Attributes:
        version: the challenger.
        champion: the version whose answers the clients got.
        decisions: shape (2, 2), rows by the champion's decision and the challenger's.
        errors: rows that could not be scored, by reason; beside whichever champion, as the next two.
        missed: rows that found no room to wait in.
        seconds: by scorer, the bounds of its buckets and how many requests took at most so long.
        loaded: whether it is in shadow now.
    """

    version: str
    champion: str
    decisions: _Table = field(default_factory=lambda: _table(2, 2))
    errors: dict[str, float] = field(default_factory=dict)
    missed: float = 0.0
    seconds: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    loaded: bool = False

    @property
    def rows(self) -> int:
        """Rows that both have scored."""
        return int(self.decisions.sum())

    @property
    def failed(self) -> int:
        """Rows that could not be scored."""
        return int(sum(self.errors.values()))

    def quantile(self, scorer: str, share: float) -> float:
        """Seconds within which this share of the requests was scored: the bucket's bound; NaN for none."""
        buckets = sorted(self.seconds[scorer])
        total = buckets[-1][1] if buckets else 0.0
        return next((bound for bound, number in buckets if total and number >= share * total), float("nan"))


@dataclass
class Outcomes:
    """Mature outcomes of rows that a challenger scored in the shadow of one champion.

    Attributes:
        version: the challenger.
        champion: the version whose answers the clients got.
        cells: shape (2, 2, 2), weights by the champion's decision, the challenger's, and the outcome.
        squares: the same, by squared weight.
        labels: shape (2,), rows by outcome.
    """

    version: str
    champion: str
    cells: _Table = field(default_factory=lambda: _table(2, 2, 2))
    squares: _Table = field(default_factory=lambda: _table(2, 2, 2))
    labels: _Table = field(default_factory=lambda: _table(2))


def read_metrics(url: str) -> str:
    """The text of a service's ``/metrics``.

    Raises:
        StateError: it does not answer.
    """
    try:
        return httpx.get(f"{url.rstrip('/')}/metrics", timeout=30, trust_env=False).raise_for_status().text
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StateError(
            f"the service does not tell its metrics: {error}",
            key=url,
            allowed="the address of a predictor or feedback service that runs",
            remedy="start it, or name the right address",
        ) from None


def shadow_counts(text: str, model: str) -> list[ShadowCounts]:
    """Every pair of challenger and champion that a predictor has counted, in the order of its metrics."""
    samples = list(_samples(text, model))
    found: dict[tuple[str, str], ShadowCounts] = {}
    for one in samples:
        if one.name == "minorkey_shadow_prediction_total":
            pair = one.labels["version"], one.labels["champion"]
            counts = found.setdefault(pair, ShadowCounts(*pair))
            counts.decisions[int(one.labels["champion_predicted"]), int(one.labels["predicted"])] = one.value
    for one in samples:
        for counts in found.values():
            if one.labels["version"] == counts.version:
                _take(counts, one)
    return list(found.values())


def outcomes_of(text: str, model: str) -> dict[tuple[str, str], Outcomes]:
    """By challenger and champion, the outcomes that a feedback service has counted."""
    found: dict[tuple[str, str], Outcomes] = {}
    for one in _samples(text, model):
        if "champion" not in one.labels or "actual" not in one.labels:
            continue
        pair = one.labels["version"], one.labels["champion"]
        known = found.setdefault(pair, Outcomes(*pair))
        actual = int(one.labels["actual"])
        if one.name == "minorkey_shadow_outcome_label_total":
            known.labels[actual] = one.value
            continue
        cell = int(one.labels["champion_predicted"]), int(one.labels["predicted"]), actual
        if one.name == "minorkey_shadow_outcome_total":
            known.cells[cell] = one.value
        elif one.name == "minorkey_shadow_outcome_square_total":
            known.squares[cell] = one.value
    return found


def _take(counts: ShadowCounts, one: Sample) -> None:
    if one.name == "minorkey_shadow_info":
        counts.loaded = one.value == 1
    elif one.name == "minorkey_shadow_error_total":
        counts.errors[one.labels["reason"]] = one.value
    elif one.name == "minorkey_shadow_dropped_total":
        counts.missed = one.value
    elif one.name == "minorkey_shadow_seconds_bucket":
        counts.seconds[one.labels["scorer"]].append((float(one.labels["le"]), one.value))


def _samples(text: str, model: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        if family.name.startswith("minorkey_shadow_"):
            yield from (one for one in family.samples if one.labels.get("model") == model)
