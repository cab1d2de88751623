"""What the results of a study add up to."""

from collections import Counter
from collections.abc import Iterable, Sequence

from minorkey.errors import SpecError
from minorkey.search.pruners import History
from minorkey.trials.trial import Outcome, TrialResult

__all__ = ["best_number", "history_of", "nothing_complete"]


def history_of(results: Iterable[TrialResult]) -> History:
    """What these trials have reported, for a pruner."""
    history, known = History(), list(results)
    for result in known:
        for step, value in result.reported:
            history.record(result.number, step, value, result.fold_scores)
    history.best = best_number(known)
    return history


def best_number(results: Iterable[TrialResult]) -> int | None:
    """Number of the best complete trial, the earlier winning ties; None if none is complete."""
    complete = [result for result in results if result.outcome is Outcome.COMPLETE]
    best = max(complete, key=lambda result: (result.value or 0.0, -result.number), default=None)
    return None if best is None else best.number


def nothing_complete(results: Sequence[TrialResult]) -> SpecError:
    """The error of a study without a complete trial, with the remedy for what happened most."""
    outcomes = Counter(result.outcome for result in results)
    outcome = outcomes.most_common(1)[0][0] if outcomes else Outcome.CRASHED
    remedies = {
        Outcome.TIMED_OUT: ("search.trial_timeout", "raise it, or search lighter families"),
        Outcome.OUT_OF_MEMORY: ("search.trial_memory_mb", "raise it, or search lighter families"),
        Outcome.EVICTED: ("search.workers", "run the same command again where workers are left alone"),
    }
    key, remedy = remedies.get(outcome, ("search.families", "read the errors, or search other families"))
    errors = dict.fromkeys(f"{result.configuration.family}: {result.error}" for result in results)
    return SpecError(
        f"none of {len(results)} trials was completed",
        key=key,
        value="; ".join(list(errors)[:3]),
        remedy=remedy,
    )
