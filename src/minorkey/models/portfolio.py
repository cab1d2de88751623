"""The zero-shot portfolio: configurations that are strong on many data sets, tried before any search."""

from collections.abc import Iterable

from minorkey.models import FAMILIES
from minorkey.models.family import Facts
from minorkey.trials.trial import Configuration

__all__ = ["portfolio"]

#: Family, index in its own portfolio, and weight exponent; best first.
_ORDER: tuple[tuple[str, int, float], ...] = (
    ("extra_trees", 0, 0.0),
    ("random_forest", 0, 0.0),
    ("lightgbm", 0, 0.0),
    ("xgboost", 0, 0.0),
    ("extra_trees", 1, 0.0),
    ("hist_gradient_boosting", 0, 0.0),
    ("spline_logistic", 0, 0.0),
    ("random_forest", 1, 0.0),
    ("network", 0, 0.0),
    ("xgboost", 1, 0.0),
    ("lightgbm", 1, 0.0),
    ("logistic_regression", 0, 1.0),
    ("balanced_random_forest", 0, 0.0),
)


def portfolio(facts: Facts, families: Iterable[str]) -> list[Configuration]:
    """The portfolio's configurations of the given families, best first.

    A family outside the built-in order (one that a user added) follows with its own portfolio.

    Raises:
        SpecError: a family of that name does not exist.
    """
    names = list(families)
    chosen = [
        Configuration(family=name, model=FAMILIES[name].portfolio(facts)[index], weight_exponent=exponent)
        for name, index, exponent in _ORDER
        if name in names
    ]
    known = {name for name, _, _ in _ORDER}
    added = [name for name in names if name not in known]
    return chosen + [
        Configuration(family=name, model=model) for name in added for model in FAMILIES[name].portfolio(facts)
    ]
