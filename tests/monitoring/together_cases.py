"""From the counters to the alert, through rules and alerts together: harm comes and goes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from minorkey.drift.rules import Windows
from minorkey.evaluation.logit_bins import LOGIT_CENTRES
from tests.monitoring.alert_cases import fires_check
from tests.monitoring.counts import Counts
from tests.monitoring.exported import counters, gauges
from tests.monitoring.promtool import text
from tests.monitoring.rule_cases import ORDER
from tests.monitoring.scenario import COUNTS, REFERENCE

_STEPS = 4
#: Steps of a phase: the window has to be forgotten, and the alert's ``for`` to pass.
_PHASE = 5 * _STEPS


def _usual() -> Counts:
    """A window as the reference has it."""
    rows = 3_200
    logits = np.array([200, 400, 800, 800, 600, 300, 80, 20.0])
    places = np.searchsorted(LOGIT_CENTRES, (-7.75, -6.75, -5.25, -4.25, -3.25, -1.25, 0.25, 1.25))
    table = np.zeros((len(LOGIT_CENTRES), 2))
    chance = 1 / (1 + np.exp(-LOGIT_CENTRES[places]))
    table[places] = np.column_stack([logits * (1 - chance), logits * chance])
    outcome = np.array([[2906.25, 50], [93.75, 150]])
    return replace(
        COUNTS,
        features={name: np.array(entry["fractions"]) * rows for name, entry in REFERENCE["features"].items()},
        score=np.array(REFERENCE["score"]["fractions"]) * rows,
        expected=outcome,
        outcome=outcome,
        square=outcome,
        labels=outcome.sum(axis=0),
        logits=table,
        requests={"200": rows, "400": 0, "500": 0},
    )


USUAL = _usual()


@dataclass(frozen=True)
class Together:
    """One kind of harm.

    Attributes:
        window: seconds that the window of the rules lasts.
        harmed: the counts of a window while it lasts.
        fires: the one alert that it raises.
    """

    window: Callable[[Windows], int]
    harmed: Counts
    fires: str


_DECAYED = np.array([[2906.25, 110], [93.75, 90]])
_SWOLLEN = np.array([[2718.75, 100], [87.5, 300]]) * 3_200 / 3_206.25
TOGETHER = {
    "a_feature_moves": Together(
        lambda w: w.drift,
        replace(USUAL, features=USUAL.features | {"country": np.array([1000, 1800, 400, 0.0])}),
        "MinorkeyDataDrift",
    ),
    "the_score_moves": Together(
        lambda w: w.drift, replace(USUAL, score=np.array([800, 1200, 1200, 0.0])), "MinorkeyScoreDrift"
    ),
    "the_model_decays": Together(
        lambda w: w.outcome,
        replace(USUAL, outcome=_DECAYED, square=_DECAYED),
        "MinorkeyPerformanceDown",
    ),
    "positives_double": Together(
        lambda w: w.outcome,
        replace(USUAL, outcome=_SWOLLEN, square=_SWOLLEN, labels=_SWOLLEN.sum(axis=0)),
        "MinorkeyPriorShift",
    ),
    "scores_too_low": Together(
        lambda w: w.outcome,
        replace(USUAL, logits=USUAL.logits * (1.0, 2.0)),
        "MinorkeyCalibrationOff",
    ),
}
_WATCHED = (
    "MinorkeyDataDrift",
    "MinorkeyScoreDrift",
    "MinorkeyPriorShift",
    "MinorkeyPerformanceDown",
    "MinorkeyEstimatedPerformanceDown",
    "MinorkeyCalibrationOff",
)


def together_file(case: Together, w: Windows, rule_files: tuple[str, str]) -> str:
    """The test file of one kind of harm."""
    step = -(-case.window(w) // _STEPS)
    share = 1 / _STEPS
    added = [
        (USUAL, 0.0),
        *[(counts, share) for counts in (USUAL, case.harmed, USUAL) for _ in range(_PHASE)],
    ]
    checks = [
        fires_check(name, w, (_PHASE * phase) * step, fires=phase == 2 and name == case.fires)
        for phase in (1, 2, 3)
        for name in _WATCHED
    ]
    test = {
        "interval": f"{step}s",
        "input_series": counters(added) + gauges(REFERENCE, len(added) - 1),
        "alert_rule_test": checks,
    }
    return text(
        rule_files, step, [*ORDER, "minorkey-statistical", "minorkey-service", "minorkey-retune"], [test]
    )
