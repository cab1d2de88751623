"""The trial itself: one configuration, fitted and scored rung by rung."""

import math
from collections.abc import Callable, Sequence

from minorkey.data.fold_store import PreparedFold
from minorkey.trials.executor import NotANumberError
from minorkey.trials.fitting import fit_prepared
from minorkey.trials.rung import Rung
from minorkey.trials.scoring import fold_score
from minorkey.trials.trial import Configuration, Outcome, TrialResult

__all__ = ["Report", "run_trial"]

#: Receives rung, value and the scores of the folds behind it; False ends the trial as pruned.
Report = Callable[[int, float, Sequence[float]], bool]


def run_trial(
    number: int,
    configuration: Configuration,
    fold: Callable[[int], PreparedFold],
    rungs: Sequence[Rung],
    report: Report,
    *,
    seed: int,
    threads: int,
) -> TrialResult:
    """Climb the rungs as long as the report allows.

    Args:
        number: the trial's number.
        configuration: what is tried.
        fold: gives a prepared fold by its index, when it is needed.
        rungs: what to fit on, in this order; the last one is all rows of all folds.
        report: called after every rung but the last with the mean over the rung's folds.
        seed: seed of the fits; the same seed gives the same result.
        threads: most threads a fit may use.

    Raises:
        NotANumberError: a model's scores are not numbers.
    """
    known: dict[tuple[float, int], float] = {}
    reported: list[tuple[int, float]] = []
    for step, rung in enumerate(rungs):
        for index in range(rung.folds):
            if (rung.negatives, index) not in known:
                known[rung.negatives, index] = _score(
                    fold(index), configuration, rung.negatives, seed=seed + index, threads=threads
                )
        scores = [known[rung.negatives, index] for index in range(rung.folds)]
        value = math.fsum(scores) / len(scores)
        if not math.isfinite(value):
            raise NotANumberError(f"the mean of the fold scores {scores} is not a number")
        reported.append((step, value))
        if step < len(rungs) - 1 and not report(step, value, scores):
            return _result(number, configuration, Outcome.PRUNED, known, reported)
    return _result(number, configuration, Outcome.COMPLETE, known, reported)


def _score(
    prepared: PreparedFold, configuration: Configuration, negatives: float, *, seed: int, threads: int
) -> float:
    model = fit_prepared(prepared, configuration, seed=seed, threads=threads, negatives=negatives)
    return fold_score(prepared.y_valid, model.score(prepared.x_valid), prepared.w_valid)


def _result(
    number: int,
    configuration: Configuration,
    outcome: Outcome,
    known: dict[tuple[float, int], float],
    reported: list[tuple[int, float]],
) -> TrialResult:
    whole = sorted((index, score) for (negatives, index), score in known.items() if negatives == 1.0)
    return TrialResult(
        number=number,
        configuration=configuration,
        outcome=outcome,
        value=reported[-1][1] if outcome is Outcome.COMPLETE else None,
        reported=tuple(reported),
        fold_scores=tuple(score for _, score in whole),
    )
