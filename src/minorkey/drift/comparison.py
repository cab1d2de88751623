"""Two periods compared: every column by itself, and all columns together."""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from minorkey.drift.columns import Columns
from minorkey.drift.multiplicity import benjamini_hochberg
from minorkey.drift.two_sample import Sample, two_sample_test
from minorkey.drift.two_sample.jensen_shannon import JensenShannon
from minorkey.drift.two_sample.population_stability import PopulationStability
from minorkey.drift.two_sample.table import bins_of
from minorkey.errors import SpecError

__all__ = ["ColumnDrift", "Comparison", "JointDrift", "compare"]

#: Share of comparisons without drift in which PSI stays below its limit.
_LIMIT = 0.99
#: Draws of a test: so many at least, so many at most, and in between as many as let a test be found that is
#: alone among all, though one draw reaches it.
_LEAST_DRAWS, _MOST_DRAWS, _DRAWS_A_LEVEL = 999, 99_999, 2


@dataclass(frozen=True)
class ColumnDrift:
    """One column.

    Attributes:
        name: of the column.
        kind: ``numeric`` or ``categorical``.
        psi: population stability index in the reference's bins.
        psi_limit: what it stays below with probability 0.99 where nothing has changed.
        jensen_shannon: divergence in bits.
        test: ``ks`` or ``chi2``.
        statistic: of the test.
        p_value: of the test.
        adjusted: the p-value by Benjamini and Hochberg over all columns and joint tests.
        drifted: whether the adjusted p-value is at most alpha.
        bins: names of the bins, numbers with their edges.
        reference: shares of the reference's rows by bin.
        current: shares of the current rows by bin.
    """

    name: str
    kind: str
    psi: float
    psi_limit: float
    jensen_shannon: float
    test: str
    statistic: float
    p_value: float
    adjusted: float
    drifted: bool
    bins: list[str]
    reference: list[float]
    current: list[float]


@dataclass(frozen=True)
class JointDrift:
    """All columns together: a test's statistic and p-values, as in `ColumnDrift`."""

    test: str
    statistic: float
    p_value: float
    adjusted: float
    drifted: bool


@dataclass(frozen=True)
class Comparison:
    """What has changed between two periods.

    Attributes:
        rows: of the reference and of the current period.
        alpha: share of false findings among the findings, at most.
        columns: the furthest from the reference first.
        joint: tests of all columns together.
        left_out: columns that were not compared, each with the reason.
    """

    rows: tuple[int, int]
    alpha: float
    columns: list[ColumnDrift]
    joint: list[JointDrift]
    left_out: dict[str, str]

    @property
    def drifted(self) -> bool:
        """Whether anything has."""
        return any([one.drifted for one in self.columns] + [one.drifted for one in self.joint])

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON content."""
        return {"drifted": self.drifted} | asdict(self)


def compare(
    columns: Columns, *, alpha: float = 0.05, joint: tuple[str, ...] = ("mmd", "classifier"), seed: int = 0
) -> Comparison:
    """Compare two periods.

    Args:
        columns: the rows of both.
        alpha: false discovery rate, between 0 and 1.
        joint: tests of all columns together, by name.
        seed: of everything random.

    Raises:
        SpecError: alpha is no share, the seed is below 0, or there is no such joint test.
    """
    if seed < 0:
        raise SpecError("the seed is below 0", key="--seed", value=seed, allowed="0 or more")
    if not 0 < alpha < 1:
        raise SpecError(
            "the false discovery rate is no share", key="--alpha", value=alpha, allowed="above 0, below 1"
        )
    reference, current = columns.reference, columns.current
    together = [two_sample_test(name) for name in joint]
    if any(test.scope != "joint" for test in together):
        raise SpecError("not a joint test", key="joint", value=", ".join(joint), allowed="mmd, classifier")
    names = list(reference.features.columns)
    draws = _draws(len(names) + len(together), alpha)
    single = [_column(reference.column(name), current.column(name), draws, seed) for name in names]
    outcomes = [test.drawing(draws).compare(reference, current, seed=seed) for test in together]
    p_values = [*(one["p_value"] for one in single), *(one.p_value for one in outcomes)]
    adjusted = benjamini_hochberg(p_values)
    found = [
        ColumnDrift(name=name, adjusted=float(p), drifted=bool(p <= alpha), **one)
        for name, one, p in zip(names, single, adjusted[: len(names)], strict=True)
    ]
    found.sort(key=lambda one: (not one.drifted, -one.psi))
    return Comparison(
        (len(reference), len(current)),
        alpha,
        found,
        [
            JointDrift(test.name, one.statistic, one.p_value, float(p), bool(p <= alpha))
            for test, one, p in zip(together, outcomes, adjusted[len(names) :], strict=True)
        ],
        columns.left_out,
    )


def _draws(tests: int, alpha: float) -> int:
    """Draws for the p-value of each of so many tests: a single finding among them needs alpha / tests."""
    wanted = min(_DRAWS_A_LEVEL * tests / alpha, _MOST_DRAWS)
    return max(math.ceil(wanted), _LEAST_DRAWS)


def _column(reference: Sample, current: Sample, draws: int, seed: int) -> dict[str, Any]:
    entry = bins_of(reference)
    stability = PopulationStability(entry)
    table = stability.table(reference, current)
    test = two_sample_test("chi2" if reference.categorical else "ks")
    outcome = test.drawing(draws).compare(reference, current, seed=seed)
    before, after = table.fractions()
    return {
        "kind": entry["kind"],
        "psi": float(stability.divergence(table.reference, table.current)),
        "psi_limit": stability.null_quantile(table, _LIMIT, seed=seed),
        "jensen_shannon": float(JensenShannon(entry).divergence(table.reference, table.current)),
        "test": test.name,
        "statistic": outcome.statistic,
        "p_value": outcome.p_value,
        "bins": _bin_names(entry),
        "reference": before.tolist(),
        "current": np.asarray(after).tolist(),
    }


def _bin_names(entry: dict[str, Any]) -> list[str]:
    if entry["kind"] == "categorical":
        return list(entry["bins"])
    edges = [f"{edge:.4g}" for edge in entry["edges"]]
    if not edges:
        return ["any number", *entry["bins"][1:]]
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"below {edges[0]}", *between, f"{edges[-1]} and more", *entry["bins"][len(edges) + 1 :]]
