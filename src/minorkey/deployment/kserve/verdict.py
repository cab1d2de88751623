"""Whether a new version does as well as the old one on the same kind of requests."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from minorkey.deployment.kserve.readings import Floats, Reading
from minorkey.drift.divergences import population_stability_index, smoothed
from minorkey.spec import CanarySpec

__all__ = ["Verdict", "judge"]

#: Most bins in which scores are compared; each holds at least this share of the old version's rows.
_BINS = 10
#: What chance alone may add to the index, at this quantile.
_QUANTILE = 0.99
#: Errors below this number are no pattern.
_FEW_ERRORS = 3
#: Below this number of requests a 99th percentile is that of the slowest one.
_FEW_REQUESTS = 50


@dataclass(frozen=True)
class Verdict:
    """The outcome of a comparison.

    Attributes:
        objections: what speaks against the new version, none if nothing does.
        figures: what was compared, for the record.
    """

    objections: tuple[str, ...]
    figures: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the new version."""
        return not self.objections


def judge(old: Reading, new: Reading, limits: CanarySpec) -> Verdict:
    """Compare two versions over the same time, or over the same rows.

    Args:
        old: what serves.
        new: what is to serve.
        limits: how much worse it may be.
    """
    psi, allowed = _psi(old.scores, new.scores, limits.max_psi)
    old_p99, new_p99 = old.p99_seconds(), new.p99_seconds()
    objections = []
    beyond = new.error_share - old.error_share
    if new.errors >= _FEW_ERRORS and beyond > limits.max_errors:
        objections.append(
            f"{new.errors:,.0f} of {new.requests:,.0f} requests failed, {beyond:.2%} more than with the old "
            f"version (deploy.canary.max_errors is {limits.max_errors:.2%})"
        )
    slow = max(limits.max_p99_seconds, limits.max_p99_ratio * old_p99)
    if new.requests >= _FEW_REQUESTS and new_p99 > slow:
        objections.append(
            f"99 % of the requests took up to {new_p99:.3f} s, with the old version {old_p99:.3f} s "
            f"(deploy.canary.max_p99_ratio is {limits.max_p99_ratio:g})"
        )
    if psi is not None and psi > allowed:
        objections.append(
            f"the scores are spread otherwise than the old version's: PSI {psi:.2f} "
            f"(deploy.canary.max_psi is {limits.max_psi:g}, {allowed:.2f} with what chance may add)"
        )
    return Verdict(
        tuple(objections),
        {
            "requests": {"old": old.requests, "new": new.requests},
            "errors": {"old": old.errors, "new": new.errors},
            "p99_seconds": {"old": _plain(old_p99), "new": _plain(new_p99)},
            "psi": None if psi is None else round(psi, 4),
        },
    )


def _psi(old: Floats, new: Floats, limit: float) -> tuple[float | None, float]:
    """The index, None where a version has no counted rows, and what is allowed for so many rows.

    Under equal distributions the index times the harmonic size is about chi-squared with bins - 1 degrees of
    freedom (Yurdakul 2018).
    """
    if not old.sum() or not new.sum():
        return None, limit
    edges = _coarse(old)
    first, second = np.add.reduceat(old, edges), np.add.reduceat(new, edges)
    psi = float(population_stability_index(smoothed(first), smoothed(second)))
    chance = float(chi2.ppf(_QUANTILE, max(1, len(edges) - 1))) * (1 / old.sum() + 1 / new.sum())
    return psi, limit + chance


def _coarse(counts: Floats) -> list[int]:
    """First places of bins that hold at least a tenth of the rows each; the last may hold less."""
    edges, held, least = [0], 0.0, counts.sum() / _BINS
    for place, count in enumerate(counts[:-1]):
        held += count
        if held >= least:
            edges.append(place + 1)
            held = 0.0
    return edges


def _plain(number: float) -> float | None:
    return None if np.isnan(number) else round(number, 6)
