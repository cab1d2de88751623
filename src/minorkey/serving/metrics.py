"""What the predictor counts, in a registry of its own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from minorkey.serving.bin_counts import BinCounts
from minorkey.serving.columns import Columns
from minorkey.serving.kept_versions import KeptVersions
from minorkey.serving.predictor import Prediction, Predictor
from minorkey.serving.reference_gauges import reference_gauges

__all__ = ["PredictorMetrics"]

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_LABELS = ("model", "version")


class PredictorMetrics:
    """Counters, and the reference they are compared with; every series carries ``model`` and ``version``.

    `docs/reference/metrics.md` lists them. Figures are made of them by recording rules, so that replicas
    add up and any window can be asked for.
    """

    def __init__(self) -> None:
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "minorkey_request",
            "Requests answered, by HTTP status.",
            (*_LABELS, "code"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "minorkey_request_seconds",
            "Seconds from a request's body to its answer.",
            _LABELS,
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._rows = Counter("minorkey_rows", "Rows scored.", _LABELS, registry=self.registry)
        self._predictions = Counter(
            "minorkey_prediction", "Rows by decision.", (*_LABELS, "predicted"), registry=self.registry
        )
        self._dropped = Counter(
            "minorkey_record_dropped",
            "Prediction records that the feedback service did not get.",
            _LABELS,
            registry=self.registry,
        )
        self._info = Gauge(
            "minorkey_bundle_info",
            "1 for the bundle that serves.",
            (*_LABELS, "digest"),
            registry=self.registry,
        )
        self._versions = KeptVersions(
            (self._requests, self._seconds, self._rows, self._predictions, self._dropped)
        )
        self._bins = BinCounts()
        self.registry.register(self._bins)
        self._reference = b""

    def serve(self, predictor: Predictor) -> None:
        """Announce a bundle: its series begin at 0, so that their first increment counts.

        Those of versions older than the one before it end.
        """
        self._info.clear()
        self._info.labels(predictor.model, predictor.version, predictor.bundle.digest).set(1)
        self._versions.begin(predictor)
        for family in (self._rows, self._dropped):
            self._versions.series(family, predictor)
        self._versions.series(self._seconds, predictor)
        for code in ("200", "400", "500", "503"):
            self._versions.series(self._requests, predictor, code)
        for predicted in ("0", "1"):
            self._versions.series(self._predictions, predictor, predicted)
        self._bins.serve(predictor)
        self._reference = reference_gauges(predictor)

    def answered(self, predictor: Predictor, code: int, seconds: float) -> None:
        """Count one answered request."""
        self._versions.series(self._requests, predictor, str(code)).inc()
        self._versions.series(self._seconds, predictor).observe(seconds)

    def predicted(self, predictor: Predictor, columns: Columns, prediction: Prediction) -> None:
        """Count the rows of one prediction."""
        rows, positives = len(prediction.predicted), int(prediction.predicted.sum())
        self._versions.series(self._rows, predictor).inc(rows)
        self._versions.series(self._predictions, predictor, "1").inc(positives)
        self._versions.series(self._predictions, predictor, "0").inc(rows - positives)
        self._bins.predicted(predictor, columns, prediction)

    def dropped(self, predictor: Predictor, rows: int) -> None:
        """Count prediction records that were lost."""
        self._versions.series(self._dropped, predictor).inc(rows)

    def text(self) -> bytes:
        """The body of ``GET /metrics``."""
        return generate_latest(self.registry) + self._reference
