import pytest

from minorkey.errors import SpecError
from minorkey.search.pruners import PRUNERS, History, pruner
from minorkey.trials.rung import Rung


def history(values: list[float], step: int = 0) -> History:
    found = History()
    for number, value in enumerate(values):
        found.record(number, step, value, (value,))
    return found


@pytest.mark.parametrize("name", PRUNERS)
def test_every_plan_ends_with_all_rows_of_all_folds(name: str) -> None:
    for screening, folds in ((1, 5), (3, 5), (5, 5), (1, 2)):
        rungs = pruner(name).rungs(screening, folds, 100_000)
        assert rungs[-1] == Rung(1.0, folds)
        assert [rung.folds for rung in rungs] == sorted(rung.folds for rung in rungs)
        assert len(set(rungs)) == len(rungs)


@pytest.mark.parametrize("name", PRUNERS)
def test_the_first_trial_is_never_pruned(name: str) -> None:
    assert not pruner(name).prunes(0, 0, 4, history([0.0]))


@pytest.mark.parametrize("name", PRUNERS)
def test_the_leader_of_a_rung_is_never_pruned(name: str) -> None:
    values = history([0.1 * number for number in range(9)])
    values.best = 8
    assert not pruner(name).prunes(8, 0, 4, values)


def test_halving_plans_rows_then_folds() -> None:
    rungs = pruner("halving").rungs(1, 5, 100_000)
    assert rungs == (Rung(1 / 9, 1), Rung(1 / 3, 1), Rung(1.0, 1), Rung(1.0, 3), Rung(1.0, 5))
    assert pruner("halving").rungs(1, 5, 500) == (Rung(1.0, 1), Rung(1.0, 3), Rung(1.0, 5))
    assert pruner("halving").rungs(4, 5, 500) == (Rung(1.0, 4), Rung(1.0, 5))


def test_halving_keeps_the_best_two_thirds() -> None:
    values = history([float(number) for number in range(9)])
    pruned = [number for number in range(9) if pruner("halving").prunes(number, 0, 4, values)]
    assert pruned == [0, 1, 2]


def test_wilcoxon_needs_three_worse_folds() -> None:
    found = History(folds={0: (0.5, 0.6, 0.7, 0.8, 0.9)}, best=0)
    found.folds[1] = (0.4, 0.5)
    assert not pruner("wilcoxon").prunes(1, 1, 4, found)
    found.folds[1] = (0.4, 0.52, 0.63)
    assert pruner("wilcoxon").prunes(1, 2, 4, found)
    found.folds[1] = (0.6, 0.5, 0.71)
    assert not pruner("wilcoxon").prunes(1, 2, 4, found)
    found.folds[1] = (0.5, 0.6, 0.7)
    assert not pruner("wilcoxon").prunes(1, 2, 4, found)


def test_median_waits_for_five_others() -> None:
    assert not pruner("median").prunes(4, 0, 4, history([1.0, 2.0, 3.0, 4.0, 0.0]))
    assert pruner("median").prunes(5, 0, 4, history([1.0, 2.0, 3.0, 4.0, 5.0, 2.9]))
    assert not pruner("median").prunes(5, 0, 4, history([1.0, 2.0, 3.0, 4.0, 5.0, 3.0]))


def test_an_unknown_pruner() -> None:
    with pytest.raises(SpecError, match="pruner"):
        pruner("shears")
