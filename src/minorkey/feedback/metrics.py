"""What the feedback service tells Prometheus: counts that lie in the database and outlive every process."""

from collections import defaultdict
from collections.abc import Iterator

import structlog
from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from minorkey.errors import StateError
from minorkey.feedback.intake import Intake
from minorkey.feedback.tables import OPEN
from minorkey.stores.sql import Transaction

__all__ = ["FeedbackCollector", "FeedbackMetrics"]

_IDENTITY = ["model", "version"]
_DECISIONS = {
    "champion_predicted": slice(0, 1),
    "predicted": slice(1, 2),
    "actual": slice(2, 3),
    "champion": slice(3, None),
}
#: Family, name, meaning, and the labels beside model and version with the place that each has in the key.
_COUNTERS: tuple[tuple[str, str, str, dict[str, slice]], ...] = (
    (
        "outcome",
        "minorkey_outcome",
        "Mature rows, by weight.",
        {"predicted": slice(0, 1), "actual": slice(1, 2)},
    ),
    (
        "square",
        "minorkey_outcome_square",
        "Mature rows, by squared weight.",
        {"predicted": slice(0, 1), "actual": slice(1, 2)},
    ),
    ("count", "minorkey_outcome_label", "Mature rows.", {"actual": slice(0, 1)}),
    (
        "logit",
        "minorkey_outcome_logit_bin",
        "Mature rows, by weight and bin of the score's log-odds.",
        {"actual": slice(0, 1), "bin": slice(1, None)},
    ),
    ("label", "minorkey_label_received", "Labels, by what became of them.", {"result": slice(0, None)}),
    ("record", "minorkey_record_received", "Records, by what became of them.", {"result": slice(0, None)}),
    ("unlabelled", "minorkey_outcome_unlabelled", "Mature rows without an outcome.", {}),
    ("audited", "minorkey_outcome_audited", "Mature rows of the audit slice.", {}),
    ("audited_weight", "minorkey_outcome_audited_weight", "Mature rows of the audit slice, by weight.", {}),
    (
        "shadow",
        "minorkey_shadow_outcome",
        "Mature rows that a challenger scored in shadow, by weight.",
        _DECISIONS,
    ),
    (
        "shadow_square",
        "minorkey_shadow_outcome_square",
        "Mature rows that a challenger scored in shadow, by squared weight.",
        _DECISIONS,
    ),
    (
        "shadow_count",
        "minorkey_shadow_outcome_label",
        "Mature rows that a challenger scored in shadow.",
        {"actual": slice(0, 1), "champion": slice(1, None)},
    ),
    (
        "shadow_unmatched",
        "minorkey_shadow_unmatched",
        "Records of a challenger in shadow whose row never came.",
        {},
    ),
)

_log = structlog.get_logger("minorkey.feedback")


class FeedbackCollector(Collector):
    """The series of the database. Scrape one service of a database, or take ``max`` over them.

    Args:
        intake: whose books are told.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def describe(self) -> list[Metric]:
        """Nothing: the database is not asked before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The series as they stand; where the database does not answer only that is told."""
        up = GaugeMetricFamily("minorkey_feedback_database_up", "Whether the database answers.")
        try:
            counts, waiting = self._read()
        except StateError as error:
            _log.error("database_away", error=str(error))
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        for family, name, meaning, labels in _COUNTERS:
            series = CounterMetricFamily(name, meaning, labels=[*_IDENTITY, *labels])
            for (model, version, text), value in sorted(counts[family].items()):
                series.add_metric([model, version, *(text[place] for place in labels.values())], value)
            yield series
        backlog = GaugeMetricFamily(
            "minorkey_feedback_backlog_seconds",
            "How long the oldest mature row has waited to be counted.",
            labels=["model"],
        )
        needs_audit = GaugeMetricFamily(
            "minorkey_outcome_needs_audit",
            "Whether outcomes are those of all rows only where an audit slice stands for the rest.",
            labels=["model"],
        )
        for model, wanted in self._intake.spec.models.items():
            backlog.add_metric([model], waiting[model])
            needs_audit.add_metric([model], float(wanted.label_policy == "selective"))
        yield backlog
        yield needs_audit

    def _read(self) -> tuple[dict[str, dict[tuple[str, str, str], float]], dict[str, float]]:
        now = self._intake.clock()
        with self._intake.books.transaction(alone=False) as made:
            rows = made.rows("SELECT family, model, version, labels, value FROM minorkey_feedback_counts")
            waiting = {model: now - _oldest(made, model, now) for model in self._intake.spec.models}
        counts: dict[str, dict[tuple[str, str, str], float]] = defaultdict(dict)
        for family, model, version, labels, value in rows:
            counts[family][model, version, labels] = value
        return counts, waiting


def _oldest(made: Transaction, model: str, now: float) -> float:
    """Since when the first row that waits to be counted is mature; now where none waits."""
    ((moment,),) = made.rows(
        "SELECT min(mature_at) FROM minorkey_feedback_rows WHERE model = %s AND state = %s", model, OPEN
    )
    return now if moment is None else min(now, float(moment))


class FeedbackMetrics:
    """The registry of one service.

    Args:
        intake: whose books are told.
    """

    def __init__(self, intake: Intake) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._registry.register(FeedbackCollector(intake))
        self._requests = Counter(
            "minorkey_feedback_request",
            "Requests answered, by path and HTTP status.",
            ["path", "code"],
            registry=self._registry,
        )

    def answered(self, path: str, code: int) -> None:
        """Count one answered request."""
        self._requests.labels(path, str(code)).inc()

    def text(self) -> bytes:
        """The body of ``GET /metrics``."""
        return generate_latest(self._registry)
