"""Model families, one file each, registered by name."""

from minorkey.errors import SpecError
from minorkey.models.balanced_random_forest import BalancedRandomForest
from minorkey.models.extra_trees import ExtraTrees
from minorkey.models.family import ModelFamily
from minorkey.models.hist_gradient_boosting import HistGradientBoosting
from minorkey.models.lightgbm import LightGbm
from minorkey.models.logistic_regression import LogisticRegression
from minorkey.models.network import Network
from minorkey.models.random_forest import RandomForest
from minorkey.models.spline_logistic import SplineLogistic
from minorkey.models.xgboost import XgBoost

__all__ = ["FAMILIES", "family"]

_ALL: tuple[ModelFamily, ...] = (
    LogisticRegression(),
    SplineLogistic(),
    RandomForest(),
    ExtraTrees(),
    BalancedRandomForest(),
    HistGradientBoosting(),
    LightGbm(),
    XgBoost(),
    Network(),
)

#: Every model family by name.
FAMILIES: dict[str, ModelFamily] = {member.name: member for member in _ALL}


def family(name: str) -> ModelFamily:
    """The family of a name.

    Raises:
        SpecError: there is none of that name.
    """
    if name not in FAMILIES:
        raise SpecError(
            "there is no such model family",
            key="search.families",
            value=name,
            allowed=", ".join(FAMILIES),
            remedy="correct the name, or leave search.families out for all that fit the data",
        )
    return FAMILIES[name]
