import numpy as np

from minorkey.search.allocation import Tried, choose_family, choose_interactions, choose_resampler


def spend(values: dict[str, float], trials: int) -> dict[str, int]:
    tried: list[Tried] = []
    for _ in range(trials):
        family = choose_family(list(values), tried)
        tried.append(Tried(family, "none", values[family]))
    return {name: sum(one.family == name for one in tried) for name in values}


def test_every_family_is_tried_before_any_is_repeated() -> None:
    assert set(spend({"a": 0.9, "b": 0.1, "c": 0.5}, 3).values()) == {1}


def test_the_best_family_gets_the_most_and_none_is_left_out() -> None:
    spent = spend({"a": 0.5, "b": 0.9, "c": 0.6, "d": 0.1}, 40)
    assert spent["b"] == max(spent.values()) and spent["b"] >= 20
    assert min(spent.values()) >= 2


def test_a_family_that_only_fails_is_abandoned() -> None:
    tried = [Tried("bad", "none", None)] * 3 + [Tried("good", "none", 0.5)] * 3
    assert choose_family(["bad", "good"], tried) == "good"


def test_when_everything_fails_the_trials_are_spread() -> None:
    tried = [Tried("a", "none", None)] * 3 + [Tried("b", "none", None)] * 2
    assert choose_family(["a", "b"], tried) == "b"


def resampled(gain: float, trials: int, share: float) -> int:
    rng, tried = np.random.default_rng(0), []
    for number in range(trials):
        name = choose_resampler(["smote", "random_over"], tried, share, rng)
        tried.append(Tried("f", name, 0.5 + gain * (name != "none") + 0.001 * (number == 0)))
    return sum(one.resampler != "none" for one in tried)


def test_resampling_stays_within_its_share_until_it_wins() -> None:
    assert resampled(-0.1, 100, 0.15) == 15
    assert resampled(-0.1, 100, 0.0) == 0
    assert resampled(0.1, 100, 0.15) > 30


def test_without_resamplers_nothing_is_resampled() -> None:
    assert choose_resampler([], [], 1.0, np.random.default_rng(0)) == "none"


def test_interactions_stay_rare_until_they_win() -> None:
    def used(gain: float) -> int:
        rng, tried = np.random.default_rng(0), []
        for _ in range(100):
            adds = choose_interactions(tried, rng)
            tried.append(Tried("f", "none", 0.5 + gain * adds, adds))
        return sum(one.interactions for one in tried)

    assert used(-0.1) == 10
    assert used(0.1) > 35
