"""Test files of the alerts: silent, just below, firing after its ``for``, recovered."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from minorkey.drift.rules import Windows, render
from tests.monitoring.promtool import IDENTITY, series, steps, text

#: Steps of a phase; a window or a ``for`` lasts a quarter of them.
PHASE = 16

_MODEL = {"model": "cards"}
_PAIR = IDENTITY | {"champion": "6"}


@dataclass(frozen=True)
class Series:
    """One series over the phases.

    Attributes:
        name: of the metric or the recorded rule.
        phases: its value in each phase, or what each step of the phase adds to a counter; None: the target
            is gone; a function: of the time in seconds. The first phase is silent, the one before the last
            fires, the last has recovered; those between are just below.
        labels: of the series.
        counter: whether the values are added up.
    """

    name: str
    phases: tuple[float | Callable[[int], float] | None, ...]
    labels: dict[str, str] = field(default_factory=lambda: dict(IDENTITY))
    counter: bool = False


@dataclass(frozen=True)
class Story:
    """How one alert comes and goes.

    Attributes:
        series: what Prometheus sees.
        labels: of the alert that fires.
        window: seconds after which the rule has forgotten what was before.
    """

    series: tuple[Series, ...]
    labels: dict[str, str] = field(default_factory=lambda: dict(IDENTITY))
    window: Callable[[Windows], int] = lambda w: w.statistical_for


def _both(first: str, second: str, low: float, high: float) -> tuple[Series, ...]:
    """Two conditions that must hold together: each alone is just below."""
    return (
        Series(first, (low / 2, low, high, high, low)),
        Series(second, (low / 2, high, low, high, low)),
    )


def _down(job: str) -> Story:
    labels = {"job": job, "instance": "a:8080"}
    return Story((Series("up", (1, 1, 0, 1), labels),), labels, lambda w: w.fact_for)


def _store_away(job: str, metric: str) -> Story:
    labels = {"job": job, "instance": "a:8080"}
    return Story(
        (Series("up", (1,) * 4, labels), Series(metric, (1, 1, 0, 1), labels)), labels, lambda w: w.fact_for
    )


def _gone(job: str) -> Story:
    labels = {"job": job}
    return Story((Series("up", (1, 1, None, 1), labels | {"instance": "a:8080"}),), labels, lambda w: 1_200)


def _added(name: str, labels: dict[str, str], *phases: float) -> Series:
    return Series(name, phases, labels, counter=True)


def stories(w: Windows) -> dict[str, list[Story]]:
    """By alert, one story for each way in which it can fire."""
    interval = ("low", "high")
    calibration = {
        "intercept": ((0.0, 0.2, 0.21, 0.0), (0.0, -0.2, -0.21, 0.0)),
        "slope": ((1.0, 1.2, 1.21, 1.0), (1.0, 0.8, 0.79, 1.0)),
    }
    reference = Series("model:minorkey_reference_prevalence:rate", (0.01,) * 4)
    gaps = (-0.05, 0.0, 0.001, -0.05)
    return {
        "MinorkeyDataDrift": [
            Story(
                (
                    Series("model:minorkey_drift:standardised", (0.4, 1.5, 9, 1.6, 0.4)),
                    Series("model:minorkey_drift:null_upper", (1.5,) * 5),
                    Series("model:minorkey_feature_psi:max", (0.01, 0.3, 0.1, 0.101, 0.01)),
                )
            )
        ],
        "MinorkeyScoreDrift": [
            Story(
                (
                    Series("model:minorkey_score_psi:standardised", (0.2, 1.0, 4, 1.01, 0.2)),
                    Series("model:minorkey_score_psi:value", (0.01, 0.3, 0.1, 0.101, 0.01)),
                )
            )
        ],
        "MinorkeyPriorShift": [
            Story(
                (Series("model:minorkey_prevalence:measured_low", (0.008, 0.0125, 0.0126, 0.008)), reference)
            ),
            Story(
                (Series("model:minorkey_prevalence:measured_high", (0.012, 0.008, 0.0079, 0.012)), reference)
            ),
        ],
        "MinorkeyPerformanceDown": [
            Story((Series("model:minorkey_mcc_gap:measured_high", (0.05, -0.05, -0.051, 0.05)),))
        ],
        "MinorkeyChampionWorse": [
            Story(
                (
                    Series("model:minorkey_mcc:measured_high", (0.8, 0.6, 0.59, 0.8)),
                    Series("model:minorkey_mcc:measured_low", (0.6,) * 4, {**_MODEL, "version": "before"}),
                    Series("minorkey_champion_info", (1.0,) * 4, {**IDENTITY, "previous": "before"}),
                )
            )
        ],
        "MinorkeyEstimatedPerformanceDown": [
            Story(
                (
                    Series("model:minorkey_mcc:estimated", (0.8, 0.68, 0.679, 0.8)),
                    Series("model:minorkey_mcc_implied:estimated", (0.8,) * 4),
                )
            )
        ],
        "MinorkeyCalibrationOff": [
            Story((Series(f"model:minorkey_calibration_{name}:measured_{bound}", phases),))
            for name, by_bound in calibration.items()
            for bound, phases in zip(interval, by_bound, strict=True)
        ],
        "MinorkeyShadowBetter": [
            Story((Series("model_champion:minorkey_shadow_mcc_gap:measured_low", gaps, _PAIR),), _PAIR)
        ],
        "MinorkeyPredictorDown": [_down("minorkey-predictor"), _gone("minorkey-predictor")],
        "MinorkeyErrorBudgetBurnFast": [Story(_both(*_burn("fast"), 0.0144, 0.0145), window=_facts)],
        "MinorkeyErrorBudgetBurnSlow": [Story(_both(*_burn("slow"), 0.006, 0.0061), window=_facts)],
        "MinorkeyNoTraffic": [
            Story(
                (
                    _added("minorkey_rows_total", dict(IDENTITY), 20, 1, 0, 0, 20),
                    # In the third phase another version serves.
                    Series("minorkey_bundle_info", (1, 1, 0, 1, 1), IDENTITY | {"digest": "ab"}),
                ),
                window=lambda w: w.quiet,
            )
        ],
        "MinorkeyNoLabels": [
            Story(
                (
                    _added("minorkey_label_received_total", IDENTITY | {"result": "joined"}, 9, 0, 0, 0, 9),
                    _added("minorkey_label_received_total", IDENTITY | {"result": "late"}, 0, 1, 0, 0, 0),
                    _added("minorkey_label_received_total", IDENTITY | {"result": "unknown"}, 0, 9, 9, 9, 0),
                    # In the third phase nothing was asked, so nothing can be labelled.
                    _added("minorkey_rows_total", dict(IDENTITY), 100, 100, 0, 100, 100),
                ),
                dict(_MODEL),
                lambda w: w.labels,
            )
        ],
        "MinorkeyFeedbackBacklog": [
            Story(
                (
                    Series(
                        "minorkey_feedback_backlog_seconds", (1, w.backlog, w.backlog + 1, 1), dict(_MODEL)
                    ),
                ),
                dict(_MODEL),
                _facts,
            ),
            Story(
                (_added("minorkey_record_dropped_total", dict(IDENTITY), 0, 0, 1, 0),),
                dict(_MODEL),
                lambda w: w.traffic,
            ),
        ],
        "MinorkeyFeedbackDown": [
            _down("minorkey-feedback"),
            _gone("minorkey-feedback"),
            _store_away("minorkey-feedback", "minorkey_feedback_database_up"),
        ],
        "MinorkeyShadowIncomplete": [
            Story(
                (Series("model:minorkey_shadow_lost:ratio", (0.0, 0.01, 0.0101, 0.0)),),
                window=_facts,
            )
        ],
        "MinorkeyTriggerDown": [
            _down("minorkey-trigger"),
            _gone("minorkey-trigger"),
            _store_away("minorkey-trigger", "minorkey_retune_ledger_up"),
        ],
        "MinorkeyWebhookDeliveryFailing": [
            Story(
                (
                    _added("alertmanager_notifications_failed_total", {"integration": "webhook"}, 0, 0, 1, 0),
                    _added("alertmanager_notifications_failed_total", {"integration": "email"}, 0, 1, 0, 0),
                ),
                {"integration": "webhook"},
                lambda w: w.traffic,
            )
        ],
        "MinorkeyRetuneFailed": [
            Story(
                (
                    _added("minorkey_retune_total", _retune("failed"), 0, 0, 1, 0),
                    _added("minorkey_retune_total", _retune("kept"), 0, 1, 0, 1),
                ),
                dict(_MODEL),
                lambda w: w.retune,
            )
        ],
        "MinorkeyRetuneStuck": [
            Story(
                (
                    Series(
                        "minorkey_retune_started_timestamp_seconds",
                        (0, lambda at: at - w.stuck, lambda at: at - w.stuck - 1, 0),
                        dict(_MODEL),
                    ),
                ),
                dict(_MODEL),
                lambda w: w.stuck,
            )
        ],
        "MinorkeyRetuneUnreachable": [
            Story(
                (
                    Series(
                        "minorkey_retune_waiting_seconds", (0, 0, 9, 0), _MODEL | {"reason": "unreachable"}
                    ),
                    Series("minorkey_retune_waiting_seconds", (0, 9, 0, 9), _MODEL | {"reason": "labels"}),
                ),
                dict(_MODEL),
                lambda w: w.unreachable,
            )
        ],
        "MinorkeyRetuneBudgetExhausted": [
            Story(
                (
                    Series("minorkey_retune_budget_left", (3, 1, 0, 0, 0), dict(_MODEL)),
                    _added("minorkey_retune_postponed_total", _postponed("budget"), 0, 1, 0, 1, 0),
                    _added("minorkey_retune_postponed_total", _postponed("cool_down"), 0, 0, 1, 0, 1),
                ),
                dict(_MODEL),
                lambda w: w.retune,
            )
        ],
    }


def alert_file(name: str, w: Windows, rule_file: str) -> str:
    """The test file of one alert."""
    told = stories(w)[name]
    step = max(1, max(story.window(w) for story in told) // 4)
    return text([rule_file], step, [], [_test(name, w, story, step) for story in told])


def fires_check(
    name: str, w: Windows, at: int, *, fires: bool, labels: dict[str, str] = IDENTITY
) -> dict[str, Any]:
    """Expects that an alert fires, with all that it tells, or that it is silent."""
    rule = _rule(name, w)
    annotations = {key: _filled(value, labels) for key, value in rule["annotations"].items()}
    firing = {"exp_labels": labels | rule["labels"], "exp_annotations": annotations}
    return {"eval_time": f"{at}s", "alertname": name, "exp_alerts": [firing] if fires else []}


def _test(name: str, w: Windows, story: Story, step: int) -> dict[str, Any]:
    phases = len(story.series[0].phases)
    fault = phases - 2
    checks = []
    for phase in range(phases):
        if phase == fault:
            # The first look at the fault: pending at most.
            checks.append(fires_check(name, w, PHASE * phase * step, fires=False, labels=story.labels))
        last = (PHASE * (phase + 1) - 1) * step
        checks.append(fires_check(name, w, last, fires=phase == fault, labels=story.labels))
    lines = [series(one.name, one.labels, _values(one, step)) for one in story.series]
    return {"interval": f"{step}s", "input_series": lines, "alert_rule_test": checks}


@functools.cache
def _rule(name: str, w: Windows) -> dict[str, Any]:
    groups = yaml.safe_load(render("alerts", w))["groups"]
    return next(rule for group in groups for rule in group["rules"] if rule["alert"] == name)


def _values(one: Series, step: int) -> str:
    each: list[float | None] = []
    for phase, value in enumerate(one.phases):
        for at in range(PHASE * phase, PHASE * (phase + 1)):
            each.append(value(at * step) if callable(value) else value)
    if one.counter:
        return steps([float(value or 0) for value in each], cumulative=True)
    return " ".join("stale" if value is None else f"{value:.17g}" for value in each)


def _filled(template: str, labels: dict[str, str]) -> str:
    for key, value in labels.items():
        template = template.replace(f"{{{{ $labels.{key} }}}}", value)
    return template


def _facts(w: Windows) -> int:
    return w.fact_for


def _burn(speed: str) -> tuple[str, str]:
    long, short = (f"model:minorkey_request_errors:ratio_{speed}_{length}" for length in ("long", "short"))
    return long, short


def _retune(outcome: str) -> dict[str, str]:
    return _MODEL | {"kind": "performance_down", "outcome": outcome}


def _postponed(reason: str) -> dict[str, str]:
    return _MODEL | {"reason": reason}
