"""How far back a study may look: as the specification says, on a retune else by the rows' period."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from minorkey.data.folds_forward import are_forward
from minorkey.data.recency import recency_weights
from minorkey.data.training_set import TrainingSet
from minorkey.errors import SpecError
from minorkey.progress import emit
from minorkey.search.recency import Recency
from minorkey.spec import SearchSpec
from minorkey.trials.trial import Configuration

__all__ = ["recency_of_retune", "stated_recency"]

#: Windows and half-lives that a retune tries, as shares of the period of the training rows.
_WINDOWS = (1 / 2, 1 / 4, 1 / 8)
_HALF_LIVES = (1 / 2, 1 / 4, 1 / 8, 1 / 16)
#: A window or half-life is offered if so many positives count in the refit, and in each fold's training.
_FEWEST, _FEWEST_IN_FOLD = 50, 10
#: Of two that are nearer to each other than this only one is offered.
_APART = 0.8

Times = npt.NDArray[np.float64]


def stated_recency(training: TrainingSet, spec: SearchSpec) -> Recency:
    """What the specification asks for, in `split.train_windows` and `search.recency_half_lives`.

    Raises:
        SpecError: half-lives for rows that are not split by time.
    """
    half_lives = spec.half_lives or ()
    if any(half_lives) and training.kind != "time":
        raise SpecError(
            "weights by recency need training rows in time",
            key="search.recency_half_lives",
            value=", ".join(spec.recency_half_lives or ()),
            allowed="none, where the split is not by time",
            remedy="name the column of the event's time in data.event_time and leave split.kind at auto or "
            "time, or leave search.recency_half_lives out",
        )
    return Recency(tuple(map(float, training.membership.get("train_windows") or ())), half_lives)


def recency_of_retune(
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    known: Sequence[Configuration],
    trained_until: float | None,
) -> Recency:
    """What a retune searches over: what the specification asks for, else shares of the training period.

    The settings of the configurations that the retune begins with are always among them. Others are offered
    where the tuning folds are forward blocks: elsewhere the folds cannot tell whether old rows still teach.

    Args:
        training: the training set.
        part: name of the part.
        spec: the search section.
        known: the configurations that the retune begins with.
        trained_until: until when the version that it starts from was trained, seconds since 1970.

    Raises:
        SpecError: half-lives for rows that are not split by time.
    """
    stated = stated_recency(training, spec)
    event = training.dataset.event_time
    if training.kind != "time" or event is None:
        return stated
    windows: list[float] = []
    half_lives: list[float] = []
    if all(are_forward(event, folds) for folds in training.part(part).partitions):
        end = float(training.membership["train_end"])
        first = float(event[training.part(part).rows].min())
        since = end - trained_until if trained_until is not None and first < trained_until < end else None
        windows = [one for one in _apart(end - first, _WINDOWS, since) if _fills(training, part, one, end)]
        half_lives = [
            one for one in _apart(end - first, _HALF_LIVES, since) if _counts(training, part, one) >= _FEWEST
        ]
    elif not spec.refit:
        emit(
            "assumed",
            text="no training windows and half-lives are searched beyond those of the version to start from: "
            "tuning folds that are no forward blocks cannot tell whether old rows still teach",
        )
    return Recency(
        stated.train_windows or _choices(windows, (one.train_window for one in known)),
        stated.half_lives or _choices(half_lives, (one.recency_half_life for one in known)),
    )


def _choices(offered: Iterable[float], known: Iterable[float | None]) -> tuple[float | None, ...]:
    return (None, *sorted({*offered, *(one for one in known if one is not None)}))


def _apart(span: float, shares: Sequence[float], since: float | None) -> list[float]:
    """Lengths of time, longest first: since the last training, and shares of the span that differ from it."""
    taken = [] if since is None or since > _APART * span else [since]
    for share in shares:
        if all(min(span * share, one) <= _APART * max(span * share, one) for one in taken):
            taken.append(span * share)
    return sorted((float(f"{one:.3g}") for one in taken), reverse=True)


def _fills(training: TrainingSet, part: str, window: float, end: float) -> bool:
    """Whether the newest rows of that length hold enough of both classes, in the refit and in every fold."""
    y, event = training.dataset.y, training.dataset.event_time
    assert event is not None  # noqa: S101

    def holds(rows: npt.NDArray[np.intp], end: float, least: int) -> bool:
        inside = y[rows[event[rows] >= end - window]]
        return least <= int(inside.sum()) < len(inside)

    chosen = training.part(part)
    folds = [fold.train for partition in chosen.partitions for fold in partition]
    return holds(chosen.rows, end, _FEWEST) and all(
        holds(rows, float(event[rows].max()), _FEWEST_IN_FOLD) for rows in folds
    )


def _counts(training: TrainingSet, part: str, half_life: float) -> float:
    """How many equally weighted positives the faded ones of the refit are worth (Kish, 1965)."""
    data, rows = training.dataset, training.part(part).rows
    assert data.event_time is not None  # noqa: S101
    weight = recency_weights(data.event_time[rows], half_life)
    weight = weight if data.weight is None else weight * data.weight[rows]
    weight = weight[data.y[rows] == 1]
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0
