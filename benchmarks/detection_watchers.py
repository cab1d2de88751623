"""Detectors behind one knob: minorkey's alerts, and river's detectors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.detection_streams import DAY, LOOK, LOOKS_A_DAY, Stream
from benchmarks.drift_rules import Measured, drift, firing, measured, starts
from minorkey.drift.detectors import detector
from minorkey.drift.rules import PRODUCTION
from minorkey.evaluation.logit_bins import LOGIT_CENTRES, logit_bin_places

Floats = npt.NDArray[np.float64]

#: Days until an outcome is mature, and rows that come meanwhile.
HORIZON_DAYS = 7
HORIZON = HORIZON_DAYS * DAY
#: Looks that ``for`` holds.
_HOLD = 2
_MONTH = 30 * LOOKS_A_DAY
#: KSWIN compares two samples at every value: it gets means of so many rows.
_KSWIN_ROWS = DAY // 6
#: Features that river's detectors follow beside the score, the most important first.
_FOLLOWED = 3


@dataclass(frozen=True)
class Watcher:
    """Raises alarms on a stream.

    Attributes:
        name: in the tables.
        labels: whether it needs outcomes.
        alarms: rows that had come at each alarm, ascending, given a stream, the knob, and a row after which
            one alarm is enough.
        knob: lowest and highest setting; the higher, the more alarms.
        usual: the setting that ships.
    """

    name: str
    labels: bool
    alarms: Callable[[Stream, float, float], list[float]]
    knob: tuple[float, float]
    usual: float


class Remembered:
    """A statistic of a stream at each look, worked out once a stream."""

    def __init__(self, statistic: Callable[[Stream], Floats]) -> None:
        self._statistic = statistic
        self._known: dict[int, tuple[Stream, Floats]] = {}

    def alarms(self, stream: Stream, knob: float, enough: float) -> list[float]:
        """An alarm is the statistic above ``1 / knob`` for as long as an alert's ``for``."""
        if id(stream) not in self._known:
            self._known[id(stream)] = (stream, self._statistic(stream))
        with np.errstate(invalid="ignore"):
            fires = firing(self._known[id(stream)][1] > 1 / knob, _HOLD)
        return [float(LOOK * (look + 1)) for look in np.flatnonzero(starts(fires))]


def data_drift(stream: Stream) -> Floats:
    """Both drift alerts as one number a look: they fire where it exceeds 1."""
    pool, last = stream.pool, LOOKS_A_DAY
    counts = {
        name: _sums(_hourly(places[stream.rows], _bins(stream, name)), last)
        for name, places in pool.places.items()
    }
    score = counts.pop("")
    found = drift(counts, score, pool.profile)
    figure = np.maximum(
        np.minimum(found.standardised / found.null_upper, found.psi / 0.1),
        np.minimum(found.score, found.score_psi / 0.1),
    )
    figure[: last - 1] = np.nan
    return figure


def harm(stream: Stream) -> Floats:
    """The three alerts that ask for a retune as one number a look: they fire where it exceeds 1.

    Standard errors beyond the limit, over 1.96.
    """
    found = outcomes(stream)
    reference = stream.pool.rates["prevalence"]
    with np.errstate(invalid="ignore", divide="ignore"):
        distances = [(-found.gap.value - 0.05) / found.gap.error]
        for limit, side in ((1.25 * reference, 1), (0.8 * reference, -1)):
            # Wilson's bound lies beyond a limit where the score test refuses it.
            distances.append(
                side * (found.prevalence - limit) / np.sqrt(limit * (1 - limit) / found.rows)
                if limit < 1
                else np.full_like(found.rows, np.nan)
            )
        for bound, middle in ((found.intercept, 0.0), (found.slope, 1.0)):
            distances.append((np.abs(bound.value - middle) - 0.2) / bound.error)
        return np.asarray(np.fmax.reduce(distances)) / 1.959963984540054


def outcomes(stream: Stream) -> Measured:
    """Figures of the last thirty days' mature outcomes at each look, until the last outcome is mature."""
    pool, rows, y = stream.pool, stream.rows, stream.y
    cells = _hourly(2 * pool.called[rows] + y, 4)
    logits = _hourly(2 * logit_bin_places(pool.score)[rows] + y, 2 * len(LOGIT_CENTRES))
    late = [
        _sums(np.concatenate([np.zeros((HORIZON_DAYS * LOOKS_A_DAY, one.shape[1])), one]), _MONTH)
        for one in (cells, logits)
    ]
    return measured(
        late[0].reshape(-1, 2, 2),
        late[1].reshape(-1, len(LOGIT_CENTRES), 2),
        pool.rates,
        PRODUCTION.positives,
        pool.profile["design"],
    )


def _hourly(places: npt.NDArray[np.intp], bins: int) -> Floats:
    looks = len(places) // LOOK
    flat = np.repeat(np.arange(looks), LOOK) * bins + places[: looks * LOOK]
    return np.bincount(flat, minlength=looks * bins).reshape(looks, bins).astype(np.float64)


def _sums(hourly: Floats, last: int) -> Floats:
    total = np.cumsum(hourly, axis=0)
    total[last:] -= total[:-last].copy()
    return total


def _bins(stream: Stream, name: str) -> int:
    profile = stream.pool.profile
    return len((profile["features"][name] if name else profile["score"])["bins"])


def features_and_score(stream: Stream) -> list[Floats]:
    """Where the score and the most important numbers lie among the reference's, 0 to 1."""
    named = list(stream.pool.z)
    important = [name for name in stream.pool.profile["features"] if name in named][:_FOLLOWED]
    columns = [-1, *(named.index(name) for name in important)]
    return [stream.pool.ranks[stream.rows, column] for column in columns]


def score_means(stream: Stream) -> list[Floats]:
    """Means of the score's place among the reference's."""
    return [_means(stream.pool.ranks[stream.rows, -1])]


def errors(stream: Stream) -> list[Floats]:
    """1 where the call was wrong."""
    return [(stream.pool.called[stream.rows] != stream.y).astype(np.float64)]


def error_means(stream: Stream) -> list[Floats]:
    """Means of `errors`."""
    return [_means(errors(stream)[0])]


def _means(values: Floats) -> Floats:
    whole = len(values) // _KSWIN_ROWS * _KSWIN_ROWS
    return np.asarray(values[:whole].reshape(-1, _KSWIN_ROWS).mean(axis=1))


def _river(
    name: str,
    read: Callable[[Stream], list[Floats]],
    options: Callable[[float], dict[str, Any]],
    every: int = 1,
) -> Callable[[Stream, float, float], list[float]]:
    late = HORIZON if read in (errors, error_means) else 0

    def alarms(stream: Stream, knob: float, enough: float) -> list[float]:
        found: list[float] = []
        for values in read(stream):
            followed = detector(name, **options(knob))
            for place, value in enumerate(values.tolist()):
                if followed.update(value):
                    found.append((place + 1) * every + late)
                    if found[-1] >= enough:
                        break
        return sorted(found)

    return alarms


def watchers() -> Sequence[Watcher]:
    """All of them; those of river with the knob that their authors gave them."""
    numeric = {
        "ADWIN": ("adwin", lambda knob: {"delta": knob}, (1e-40, 0.9), 0.002),
        "Page-Hinkley": ("page_hinkley", lambda knob: {"threshold": 1 / knob}, (1e-5, 1.0), 1 / 50),
    }
    of_errors = {
        "DDM": (
            "ddm",
            _thresholds,
            (0.03, 1.0),
            1 / 3,
        ),
        "HDDM-A": ("hddm_a", _confidence, (1e-60, 0.5), 0.001),
        "HDDM-W": ("hddm_w", _confidence, (1e-60, 0.5), 0.001),
    }
    kswin = ("kswin", lambda knob: {"alpha": knob}, (1e-20, 0.5), 0.005)
    made = [
        Watcher("minorkey: data and score drift", False, Remembered(data_drift).alarms, (0.02, 50.0), 1.0),
        Watcher("minorkey: measured harm", True, Remembered(harm).alarms, (0.02, 50.0), 1.0),
        Watcher("KSWIN", False, _river(kswin[0], score_means, kswin[1], _KSWIN_ROWS), *kswin[2:]),
        Watcher("KSWIN", True, _river(kswin[0], error_means, kswin[1], _KSWIN_ROWS), *kswin[2:]),
    ]
    for name, (own, options, knob, usual) in numeric.items():
        made.append(Watcher(name, False, _river(own, features_and_score, options), knob, usual))
        made.append(Watcher(name, True, _river(own, errors, options), knob, usual))
    for name, (own, options, knob, usual) in of_errors.items():
        made.append(Watcher(name, True, _river(own, errors, options), knob, usual))
    return made


def _thresholds(knob: float) -> dict[str, Any]:
    return {"drift_threshold": 1 / knob, "warning_threshold": 0.6 / knob}


def _confidence(knob: float) -> dict[str, Any]:
    return {"drift_confidence": knob, "warning_confidence": min(1.0, 5 * knob)}
