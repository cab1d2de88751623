import pytest

from minorkey.errors import SpecError
from minorkey.models import FAMILIES, family
from tests.models.family_contract import CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("name", FAMILIES)
def test_family_keeps_the_contract(name, check):
    check(FAMILIES[name])


def test_the_nine_families_are_registered():
    assert set(FAMILIES) == {
        "logistic_regression",
        "spline_logistic",
        "random_forest",
        "extra_trees",
        "balanced_random_forest",
        "hist_gradient_boosting",
        "lightgbm",
        "xgboost",
        "network",
    }
    assert family("extra_trees") is FAMILIES["extra_trees"]


def test_an_unknown_family_is_refused_with_those_that_exist():
    with pytest.raises(SpecError) as raised:
        family("extra_tree")
    assert raised.value.value == "extra_tree"
    assert "extra_trees" in raised.value.allowed
