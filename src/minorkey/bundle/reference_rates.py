"""The rates that the model showed on rows it had not seen, to judge its measured performance by."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from minorkey.evaluation.implied import implied_mcc

__all__ = ["better_rates", "reference_rates"]


def reference_rates(
    y: npt.ArrayLike,
    weight: npt.ArrayLike | None,
    validation: Mapping[str, float],
    design: Mapping[str, float],
) -> dict[str, float | None]:
    """Prevalence, true and false positive rate of the reference, each rate with its variance.

    Args:
        y: shape (n,), 0 or 1.
        weight: shape (n,), non-negative; None: all equal.
        validation: cross-fitted metrics with ``recall`` and ``specificity``.
        design: design effects of the same names (`reference_design`).

    Returns:
        ``prevalence``, ``true_positive``, ``false_positive``, ``true_positive_variance`` and
        ``false_positive_variance``; None where a class is absent. The variances are binomial with
        Kish's effective number of rows, times the design effect.
    """
    labels = np.asarray(y) == 1
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, np.float64)
    total = weights.sum()
    found: dict[str, float | None] = {
        "prevalence": float(weights[labels].sum() / total) if total > 0 else None
    }
    rates = {
        "true_positive": (validation.get("recall", np.nan), weights[labels], design["recall"]),
        "false_positive": (
            1 - validation.get("specificity", np.nan),
            weights[~labels],
            design["specificity"],
        ),
    }
    for name, (rate, own, effect) in rates.items():
        known = bool(np.isfinite(rate) and own.sum() > 0)
        found[name] = float(rate) if known else None
        variance = effect * rate * (1 - rate) * (own**2).sum() / own.sum() ** 2 if known else None
        found[f"{name}_variance"] = None if variance is None else float(variance)
    return found


def better_rates(
    fresh: Mapping[str, float | None], former: Mapping[str, float | None]
) -> dict[str, float | None]:
    """The rates by which an adjusted model is judged: the fresh ones, or the former if they promise more.

    With the ranking intact the threshold that is best today does no worse than the former rates imply. If it
    does, the ranking may have begun to fall before that could be told from luck: then the fresh rates would
    make the fall the measure, and no alert would tell of it any more.

    Args:
        fresh: of rows that came since, from `reference_rates`.
        former: of the reference before; empty where it is not known.

    Returns:
        Those with the higher Matthews correlation at the fresh prevalence, and that prevalence.
    """
    prevalence = fresh["prevalence"]
    promised, before = _implied(prevalence, fresh), _implied(prevalence, former)
    return {**former, "prevalence": prevalence} if before > promised else dict(fresh)


def _implied(prevalence: float | None, rates: Mapping[str, float | None]) -> float:
    """The Matthews correlation that rates imply; NaN where one of them is not known."""
    true, false = rates.get("true_positive"), rates.get("false_positive")
    if prevalence is None or true is None or false is None:
        return np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(implied_mcc(prevalence, true, false))
