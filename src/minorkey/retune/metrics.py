"""What the trigger tells Prometheus: the ledger's counts, which outlive the process, and its own requests."""

from collections.abc import Callable, Iterator, Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from minorkey.errors import StateError
from minorkey.retune.action import OUTCOMES
from minorkey.retune.ledger import Ledger
from minorkey.retune.policy import REASONS
from minorkey.retune.spec import RetuneSpec
from minorkey.retune.views import Figures, figures

__all__ = ["ChampionCollector", "LedgerCollector", "TriggerMetrics"]

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
#: Family, name, meaning, label and its values that begin at 0.
_COUNTERS = (
    (
        "postponed",
        "minorkey_retune_postponed",
        "Retunes that were put off, by what for.",
        "reason",
        (*REASONS, "dry_run"),
    ),
    (
        "alert",
        "minorkey_retune_alert",
        "Alerts by what became of them.",
        "disposition",
        ("opened", "joined", "informed", "duplicate"),
    ),
    ("launch_retry", "minorkey_retune_launch_retry", "Launches that were tried again.", "", ("",)),
    ("outside", "minorkey_retune_outside", "Runs seen that the trigger did not start.", "", ("",)),
)

_log = structlog.get_logger("minorkey.retune")


class LedgerCollector(Collector):
    """The ledger's series. Several triggers on one ledger tell the same: take ``max``, not ``sum``.

    Args:
        ledger: what is told.
        spec: its models and kinds begin at 0.
    """

    def __init__(self, ledger: Ledger, spec: RetuneSpec) -> None:
        self._ledger, self._models, self._budget = ledger, spec.models.keys(), spec.daily_budget
        self._kinds = (*spec.acts_on, "manual", "schedule")

    def describe(self) -> list[Metric]:
        """Nothing: the ledger is not asked before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The series as they stand; where the ledger does not answer only that is told."""
        up = GaugeMetricFamily("minorkey_retune_ledger_up", "Whether the ledger answers.")
        try:
            found = figures(self._ledger)
        except StateError as error:
            _log.error("ledger_away", error=str(error))
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        yield from self._counters(found)
        yield from self._gauges(found)

    def _counters(self, found: Figures) -> Iterator[Metric]:
        ended = {(m, kind, end): 0 for m in self._models for kind in self._kinds for end in OUTCOMES}
        ended |= {(m, kind, end): n for (f, m, kind, end), n in found.counts.items() if f == "retune"}
        retunes = CounterMetricFamily(
            "minorkey_retune", "Retunes by kind and how they ended.", labels=["model", "kind", "outcome"]
        )
        for labels, number in ended.items():
            retunes.add_metric(labels, number)
        yield retunes
        for family, name, meaning, label, values in _COUNTERS:
            told = {(model, value): 0 for model in self._models for value in values}
            told |= {
                (model, value): n for (known, model, _, value), n in found.counts.items() if known == family
            }
            series = CounterMetricFamily(name, meaning, labels=["model", label] if label else ["model"])
            for (model, value), number in told.items():
                series.add_metric([model, value] if label else [model], number)
            yield series

    def _gauges(self, found: Figures) -> Iterator[Metric]:
        open_ = GaugeMetricFamily(
            "minorkey_retune_open", "Retunes that have not ended, by status.", labels=["model", "status"]
        )
        by_model = {
            "minorkey_retune_started_timestamp_seconds": (
                "When the retune under way began, 0 for none.",
                lambda model: found.started.get(model, 0.0),
            ),
            "minorkey_retune_budget_left": (
                "Starts that are left of the day's budget.",
                lambda model: max(0, self._budget - found.starts.get(model, 0)),
            ),
        }
        for model in self._models:
            for status in ("waiting", "launching", "running"):
                open_.add_metric([model, status], found.open.get((model, status), 0))
        yield open_
        waiting = GaugeMetricFamily(
            "minorkey_retune_waiting_seconds",
            "Age of the oldest retune that waits, by what it waits for; 0 for none.",
            labels=["model", "reason"],
        )
        for model in self._models:
            for reason in (*REASONS, "look"):
                waiting.add_metric([model, reason], found.oldest.get((model, reason), 0.0))
        yield waiting
        for name, (meaning, value) in by_model.items():
            gauge = GaugeMetricFamily(name, meaning, labels=["model"])
            for model in self._models:
                gauge.add_metric([model], value(model))
            yield gauge


class ChampionCollector(Collector):
    """Which version of each model is champion, and which was before it.

    Args:
        champions: version and the one before it, by model; "" for none.
    """

    def __init__(self, champions: Callable[[], Mapping[str, tuple[str, str]]]) -> None:
        self._champions = champions

    def describe(self) -> list[Metric]:
        """Nothing: nobody is asked before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The series as they were last seen."""
        info = GaugeMetricFamily(
            "minorkey_champion_info",
            "1 for the version that is champion, beside the champion before it.",
            labels=["model", "version", "previous"],
        )
        for model, (version, previous) in self._champions().items():
            info.add_metric([model, version, previous], 1)
        yield info


class TriggerMetrics:
    """The registry of one trigger.

    Args:
        ledger: whose series are told.
        spec: its models and kinds begin at 0.
        champions: version and the one before it, by model.
    """

    def __init__(
        self,
        ledger: Ledger,
        spec: RetuneSpec,
        champions: Callable[[], Mapping[str, tuple[str, str]]] = dict,
    ) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._registry.register(LedgerCollector(ledger, spec))
        self._registry.register(ChampionCollector(champions))
        self._webhooks = Counter(
            "minorkey_retune_webhook", "Webhooks answered, by HTTP status.", ["code"], registry=self._registry
        )
        self._seconds = Histogram(
            "minorkey_retune_webhook_seconds",
            "Seconds from a webhook's arrival to its answer.",
            registry=self._registry,
            buckets=_SECONDS,
        )
        for code in ("202", "400", "401", "503"):
            self._webhooks.labels(code)

    def answered(self, code: int, seconds: float) -> None:
        """Count one answered webhook."""
        self._webhooks.labels(str(code)).inc()
        self._seconds.observe(seconds)

    def text(self) -> bytes:
        """The body of ``GET /metrics``."""
        return generate_latest(self._registry)
