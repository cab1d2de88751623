"""What a challenger in shadow is counted by: names of its own, which no figure of the champion reads."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from minorkey.serving.bin_counts import BinCounts
from minorkey.serving.columns import Columns
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.serving.reference_gauges import score_fractions

__all__ = ["REASONS", "ShadowMetrics"]

#: Why rows could not be scored in shadow: they lack what the challenger needs, or it failed on them.
REASONS = ("unfit", "failed")

_SECONDS = (0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_LABELS = ("model", "version")


class ShadowMetrics:
    """Counters ``minorkey_shadow_...``; ``version`` is the challenger's.

    Args:
        registry: that they are told with.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._predictions = Counter(
            "minorkey_shadow_prediction",
            "Rows scored in shadow, by the decisions of champion and challenger.",
            (*_LABELS, "champion", "champion_predicted", "predicted"),
            registry=registry,
        )
        self._seconds = Histogram(
            "minorkey_shadow_seconds",
            "Seconds that champion and challenger took to score a request.",
            (*_LABELS, "scorer"),
            registry=registry,
            buckets=_SECONDS,
        )
        self._errors = Counter(
            "minorkey_shadow_error",
            "Rows that could not be scored in shadow.",
            (*_LABELS, "reason"),
            registry=registry,
        )
        self._missed = Counter(
            "minorkey_shadow_dropped",
            "Rows that were not scored in shadow because too many waited.",
            _LABELS,
            registry=registry,
        )
        self._dropped = Counter(
            "minorkey_shadow_record_dropped",
            "Records of a challenger in shadow that the feedback service did not get.",
            _LABELS,
            registry=registry,
        )
        self._info = Gauge(
            "minorkey_shadow_info",
            "1 for the bundle that scores in shadow.",
            (*_LABELS, "digest"),
            registry=registry,
        )
        self._reference = Gauge(
            "minorkey_shadow_score_reference_fraction",
            "Share of the challenger's reference rows in a bin of the score, smoothed.",
            (*_LABELS, "bin"),
            registry=registry,
        )
        self._bins = BinCounts(shadow=True)
        registry.register(self._bins)

    def begin(self, challenger: Predictor, champion: str) -> None:
        """Before a challenger scores beside a champion: series begin at 0, so that all increments count."""
        labels = (challenger.model, challenger.version)
        self._reference.clear()
        for place, share in score_fractions(challenger):
            self._reference.labels(*labels, place).set(share)
        for decided in "01":
            for predicted in "01":
                self._predictions.labels(*labels, champion, decided, predicted)
        for scorer in ("champion", "challenger"):
            self._seconds.labels(*labels, scorer)
        for reason in REASONS:
            self._errors.labels(*labels, reason)
        self._missed.labels(*labels)
        self._dropped.labels(*labels)
        self._bins.serve(challenger)

    def announce(self, challenger: Predictor) -> None:
        """Tell that a challenger scores whatever is answered from now on."""
        self._info.clear()
        self._info.labels(challenger.model, challenger.version, challenger.bundle.digest).set(1)

    def end(self) -> None:
        """Nothing is in shadow any more; what was counted stays."""
        self._info.clear()
        self._reference.clear()

    def scored(
        self,
        challenger: Predictor,
        champion: str,
        columns: Columns,
        answered: Prediction,
        prediction: Prediction,
    ) -> None:
        """Count the rows of one request that both have scored."""
        labels = (challenger.model, challenger.version, champion)
        for decided in (0, 1):
            chosen = prediction.predicted[answered.predicted == decided]
            positives = int(chosen.sum())
            self._predictions.labels(*labels, str(decided), "1").inc(positives)
            self._predictions.labels(*labels, str(decided), "0").inc(len(chosen) - positives)
        self._bins.predicted(challenger, columns, prediction)

    def took(self, challenger: Predictor, scorer: str, seconds: float) -> None:
        """Count how long the scoring of one request took."""
        self._seconds.labels(challenger.model, challenger.version, scorer).observe(seconds)

    def failed(self, challenger: Predictor, reason: str, rows: int) -> None:
        """Count rows that could not be scored, for one of `REASONS`."""
        self._errors.labels(challenger.model, challenger.version, reason).inc(rows)

    def missed(self, challenger: Predictor, rows: int) -> None:
        """Count rows that found no room to wait in."""
        self._missed.labels(challenger.model, challenger.version).inc(rows)

    def dropped(self, predictor: Predictor, rows: int) -> None:
        """Count records that were lost on the way to the feedback service."""
        self._dropped.labels(predictor.model, predictor.version).inc(rows)
