"""What ships under a limit of latency, with graphs whose latency is their number of nodes."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from minorkey.errors import InputError
from minorkey.evaluation.calibration import sigmoid
from minorkey.search.selection import OutOfFold, select
from minorkey.search.shipping import ship
from minorkey.spec import SearchSpec
from minorkey.trials.trial import Configuration
from tests.data.rows import make_dataset

#: Nodes of one model of each family; the better a family ranks, the more it has.
NODES = {"network": 100, "random_forest": 40, "logistic_regression": 2}
CANDIDATES = [Configuration(family) for family in NODES]
FOLDS = 5


@pytest.fixture
def events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "events.jsonl"
    monkeypatch.setenv("MINORKEY_EVENTS", str(path))
    return lambda: [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def choose():
    data = make_dataset(2_000, positives=200)
    noise = np.random.default_rng(0).normal(size=(3, len(data)))
    scores = sigmoid(np.array([[2.5], [2.0], [1.5]]) * data.y + noise - 2)
    position = {candidate.family: index for index, candidate in enumerate(CANDIDATES)}

    def chosen(candidates, most):
        rows = [position[candidate.family] for candidate in candidates]
        oof = OutOfFold(scores[rows], np.arange(len(data)), np.arange(len(data)) % FOLDS, data)
        return select(candidates, oof, SearchSpec(), most=most, seed=0)

    return chosen


def compose(selected, bag):
    nodes = sum(NODES[configuration.family] for configuration, _ in selected.members) * (FOLDS if bag else 1)
    return helper.make_graph([helper.make_node("Identity", ["a"], ["b"])] * nodes, "g", [], [])


def shipped(choose, limit, *, bag=True, most=3, compose=compose):
    done = ship(
        CANDIDATES, choose, compose, most=most, bag=bag, limit=limit, latency=lambda graph: len(graph.node)
    )
    return [configuration.family for configuration, _ in done.selected.members], done.bag, done


def test_without_a_limit_the_choice_ships(choose, events):
    families, bag, _ = shipped(choose, None)
    assert len(families) > 1 and bag
    assert not events()


@pytest.mark.parametrize(
    ("limit", "families", "bag"),
    [
        (500, ["network"], True),
        (499, ["network"], False),
        (99, ["random_forest"], False),
        (10, ["logistic_regression"], True),
        (9, ["logistic_regression"], False),
    ],
)
def test_the_best_that_is_fast_enough_ships(choose, events, limit, families, bag):
    assert shipped(choose, limit)[:2] == (families, bag)
    assert [event["event"] for event in events()] == ["assumed"]
    assert f"limit of {limit}" in events()[0]["text"]


def test_the_reason_is_kept_with_the_choice(choose):
    assert "a refit takes 100 microseconds" in shipped(choose, 120)[2].selected.choice.reason


def test_a_refit_that_suits_the_data_is_never_made_a_bag(choose):
    assert shipped(choose, 99, bag=False)[:2] == (["random_forest"], False)


def test_where_nothing_is_fast_enough_the_fastest_ships_with_a_warning(choose, events):
    assert shipped(choose, 1)[:2] == (["logistic_regression"], False)
    assert [event["event"] for event in events()] == ["warned"]


def test_a_refit_that_fails_leaves_the_next_candidate(choose):
    def failing(selected, bag):
        if any(configuration.family == "network" for configuration, _ in selected.members):
            raise InputError("the refit took too long")
        return compose(selected, bag)

    assert shipped(choose, None, bag=False, compose=failing)[0] == ["random_forest"]

    def hopeless(selected, bag):
        raise InputError("no refit can be had")

    with pytest.raises(InputError, match="no refit can be had"):
        shipped(choose, None, bag=False, compose=hopeless)
