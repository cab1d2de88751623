import pytest

from minorkey.models import FAMILIES
from minorkey.models.family import Facts
from minorkey.models.portfolio import portfolio

FACTS = Facts(rows=10_000, positives=200, numeric=10, categorical=2)


def test_the_portfolio_holds_every_entry_of_every_family_once():
    chosen = portfolio(FACTS, FAMILIES)
    expected = sum(len(family.portfolio(FACTS)) for family in FAMILIES.values())
    assert len(chosen) == len({configuration.digest() for configuration in chosen}) == expected
    assert 10 <= expected <= 14


def test_the_first_ten_hold_the_strong_and_the_different():
    first = {configuration.family for configuration in portfolio(FACTS, FAMILIES)[:10]}
    assert {"extra_trees", "random_forest", "lightgbm", "xgboost", "hist_gradient_boosting"} <= first
    assert {"spline_logistic", "network"} <= first


def test_logistic_regression_comes_weighted():
    (only,) = portfolio(FACTS, ["logistic_regression"])
    assert only.weight_exponent == 1.0


@pytest.mark.parametrize("name", FAMILIES)
def test_only_the_asked_families_are_in_it(name):
    assert {configuration.family for configuration in portfolio(FACTS, [name])} == {name}
