"""Counts of features and scores by bin, and of the outcomes that the scores promise.

A request adds to plain counts; series are made of them only when they are asked for.
"""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from minorkey.bundle.reference import Bins
from minorkey.evaluation.logit_bins import LOGIT_BINS, logit_bin_place, logit_bin_places
from minorkey.serving.columns import Columns
from minorkey.serving.kept_versions import VERSIONS_KEPT
from minorkey.serving.label_text import label_text
from minorkey.serving.predictor import Prediction, Predictor

__all__ = ["BinCounts"]

_LABELS = ("model", "version")


class BinCounts(Collector):
    """``minorkey_feature_bin_total``, ``minorkey_score_bin_total``, ``minorkey_score_logit_bin_total``,
    ``minorkey_expected_outcome_total``.

    The series of the version that serves and of the one before are kept; those of older ones end.

    Args:
        shadow: names begin with ``minorkey_shadow_``, and features, which do not depend on the version that
            scores them, are not counted.
    """

    def __init__(self, *, shadow: bool = False) -> None:
        self._prefix = "minorkey_shadow" if shadow else "minorkey"
        self._features = not shadow
        self._lock = threading.Lock()
        self._counted: dict[tuple[str, str], _Counted] = {}

    def serve(self, predictor: Predictor) -> None:
        """Announce a bundle: all its series begin at 0. One that served before goes on counting."""
        key = (predictor.model, predictor.version)
        with self._lock:
            known = self._counted.pop(key, None)
            same = known is not None and known.digest == predictor.bundle.digest
            self._counted[key] = known if known is not None and same else _Counted(predictor, self._features)
            for old in list(self._counted)[:-VERSIONS_KEPT]:
                del self._counted[old]

    def predicted(self, predictor: Predictor, columns: Columns, prediction: Prediction) -> None:
        """Count the rows of one prediction; those of a bundle that is no longer kept are not counted."""
        if not len(prediction.score):
            return
        with self._lock:
            counted = self._counted.get((predictor.model, predictor.version))
            if counted is not None and counted.digest == predictor.bundle.digest:
                counted.add(columns, prediction)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The three families as they stand."""
        features = CounterMetricFamily(
            f"{self._prefix}_feature_bin", "Rows by bin of a feature.", labels=(*_LABELS, "feature", "bin")
        )
        scores = CounterMetricFamily(
            f"{self._prefix}_score_bin", "Rows by bin of the calibrated score.", labels=(*_LABELS, "bin")
        )
        logits = CounterMetricFamily(
            "minorkey_score_logit_bin",
            "Rows by bin of the score's log-odds; the bins are the same for every version.",
            labels=(*_LABELS, "bin"),
        )
        expected = CounterMetricFamily(
            f"{self._prefix}_expected_outcome",
            "Outcomes that the calibrated scores promise, by decision.",
            labels=(*_LABELS, "predicted", "actual"),
        )
        with self._lock:
            for key, counted in self._counted.items():
                for feature in counted.features:
                    for place, count in feature.series():
                        features.add_metric((*key, label_text(feature.name), place), count)
                for place, count in counted.score.series() if counted.score else ():
                    scores.add_metric((*key, place), count)
                for place, count in zip(LOGIT_BINS if counted.logits else (), counted.logits, strict=True):
                    logits.add_metric((*key, place), count)
                for predicted, row in enumerate(counted.expected):
                    for actual, rows in enumerate(row):
                        expected.add_metric((*key, str(predicted), str(actual)), rows)
        if self._features:
            yield from (features, logits)
        yield from (scores, expected)


class _Counted:
    """The counts of one bundle."""

    def __init__(self, predictor: Predictor, features: bool) -> None:
        reference = predictor.bundle.info.reference
        self.digest = predictor.bundle.digest
        watched = reference.get("features", {}) if features else {}
        self.features = [_BinCount(name, entry) for name, entry in watched.items()]
        self.score = _BinCount("", reference["score"]) if "score" in reference else None
        #: Rows by bin of the log-odds, empty where they are not told.
        self.logits = [0] * len(LOGIT_BINS) if features else []
        self.expected = [[0.0, 0.0], [0.0, 0.0]]

    def add(self, columns: Columns, prediction: Prediction) -> None:
        """Count rows, one of them by plain Python, which is faster than NumPy for it."""
        if len(prediction.score) == 1:
            self._add_one(columns, float(prediction.score[0]), int(prediction.predicted[0]))
            return
        for feature in self.features:
            feature.add(columns[feature.name])
        if self.score:
            self.score.add(prediction.score)
        if self.logits:
            self.logits = _added(self.logits, logit_bin_places(prediction.score))
        for predicted in (0, 1):
            chosen = prediction.score[prediction.predicted == predicted]
            positives = float(np.clip(chosen, 0.0, 1.0).sum())
            self._expect(predicted, len(chosen) - positives, positives)

    def _add_one(self, columns: Columns, score: float, predicted: int) -> None:
        for feature in self.features:
            feature.counts[feature.rule.place(columns[feature.name][0])] += 1
        if self.score:
            self.score.counts[self.score.rule.place(score)] += 1
        if self.logits:
            self.logits[logit_bin_place(score)] += 1
        positive = min(max(score, 0.0), 1.0)
        self._expect(predicted, 1.0 - positive, positive)

    def _expect(self, predicted: int, negatives: float, positives: float) -> None:
        self.expected[predicted][0] += negatives
        self.expected[predicted][1] += positives


class _BinCount:
    """Rows by bin of one feature, or of the score."""

    def __init__(self, name: str, entry: dict[str, Any]) -> None:
        self.name = name
        self.rule = Bins(entry)
        self.counts = [0] * len(self.rule.names)
        self._labels = [label_text(place) for place in self.rule.names]

    def add(self, values: npt.NDArray[Any]) -> None:
        """Count many rows."""
        self.counts = _added(self.counts, self.rule.places(values))

    def series(self) -> Iterator[tuple[str, int]]:
        """Label of each bin and its count."""
        return zip(self._labels, self.counts, strict=True)


def _added(counts: list[int], places: npt.NDArray[Any]) -> list[int]:
    """Counts of bins, and one more for each place."""
    more = np.bincount(places, minlength=len(counts))
    return [before + added for before, added in zip(counts, more.tolist(), strict=True)]
