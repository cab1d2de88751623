"""What every model family has to do. `CHECKS` holds one function a promise; each takes a family."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import optuna
from sklearn.metrics import roc_auc_score

from minorkey.data.dataset import Labels
from minorkey.models.family import Facts, FittedModel, Matrix, ModelFamily

TOLERANCE = 1e-5
LEVELS = 6

#: From one end to the other: next to nothing, rare, extremely rare, large, all numbers, all categories.
FACTS = (
    Facts(rows=60, positives=4, numeric=4, categorical=1),
    Facts(rows=11_183, positives=260, numeric=6, categorical=0),
    Facts(rows=95_156, positives=30, numeric=3, categorical=0),
    Facts(rows=2_000_000, positives=600_000, numeric=50, categorical=10),
    Facts(rows=5_000, positives=50, numeric=0, categorical=8, weighted=True),
)


@dataclass(frozen=True)
class Sample:
    """Rows as the family's encoding wants them, read-only like those of the fold store."""

    features: Matrix
    y: Labels
    weight: npt.NDArray[np.float64]
    categorical: tuple[tuple[int, int], ...]


def sample(family: ModelFamily, *, rows: int = 320, seed: int = 0) -> Sample:
    """A smooth column, a grid, a flag, large numbers one float32 step apart, and a category."""
    rng = np.random.default_rng(seed)
    smooth, grid = rng.normal(size=rows), rng.integers(-4, 5, rows).astype(float)
    flag, large = rng.integers(0, 2, rows).astype(float), 1e7 + rng.integers(0, 8, rows)
    level = rng.integers(0, LEVELS, rows)
    signal = 2 * smooth + 0.8 * grid + 0.5 * (large - 1e7) + 3 * (level == 2) + rng.normal(size=rows)
    y = (signal > np.quantile(signal, 0.8)).astype(np.int8)
    numeric = np.column_stack([smooth, grid, flag, large]).astype(np.float32)
    if family.encoding.scale:
        numeric = (numeric - np.float32([0, 0, 0.5, 1e7 + 3.5])) / np.float32([1, 2.5, 0.5, 2.3])
    if family.encoding.categorical == "ordinal":
        categories, categorical = level[:, None], ((numeric.shape[1], LEVELS),)
    else:
        categories, categorical = np.eye(LEVELS)[level], ()
    features = np.hstack([numeric, categories]).astype(np.float32)
    features.flags.writeable = False
    return Sample(features, y, np.ones(len(y)), categorical)


def fit(
    family: ModelFamily, data: Sample, *, seed: int = 0, params: dict[str, Any] | None = None
) -> FittedModel:
    """The family's first portfolio entry (or the given parameters) fitted on the sample."""
    if params is None:
        params = family.portfolio(facts_of(data))[0]
    return family.fit(data.features, data.y, data.weight, params, seed=seed, categorical=data.categorical)


def facts_of(data: Sample) -> Facts:
    """The facts of a sample."""
    return Facts(rows=len(data.y), positives=int(data.y.sum()), numeric=4, categorical=1)


def exported_scores(fitted: FittedModel, features: Matrix) -> npt.NDArray[np.float32]:
    """What onnxruntime says of the exported graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(fitted.to_onnx().SerializeToString(), options)
    (scores,) = session.run(["score"], {"features": features})
    return scores


def assert_parity(fitted: FittedModel, features: Matrix) -> None:
    """The graph and the Python object agree on every row."""
    with np.errstate(over="ignore", invalid="ignore"):
        expected = fitted.score(features)
    assert expected.shape == (len(features),)
    assert np.isfinite(expected).all()
    assert expected.min() >= 0
    assert expected.max() <= 1
    np.testing.assert_allclose(exported_scores(fitted, features), expected, rtol=0, atol=TOLERANCE)


def check_declares_itself(family: ModelFamily) -> None:
    assert family.name.isidentifier()
    assert family.name.islower()
    assert family.resource in ("cpu", "gpu")
    assert family.encoding.categorical in ("onehot", "ordinal")


def check_portfolio_lies_in_space(family: ModelFamily) -> None:
    for facts in FACTS:
        space = family.space(facts)
        entries = family.portfolio(facts)
        assert entries
        for params in entries:
            assert params.keys() == space.keys()
            for name, value in params.items():
                assert space[name]._contains(space[name].to_internal_repr(value)), (facts, name, value)


def check_fits_whatever_is_sampled(family: ModelFamily) -> None:
    data = sample(family, rows=120)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(3):
        trial = study.ask(family.space(facts_of(data)))
        assert_parity(fit(family, data, params=trial.params), data.features)


def check_learns(family: ModelFamily) -> None:
    fresh = sample(family, seed=1)
    assert roc_auc_score(fresh.y, fit(family, sample(family)).score(fresh.features)) > 0.8


def check_is_deterministic(family: ModelFamily) -> None:
    data = sample(family, rows=200)
    first = fit(family, data, seed=7).score(data.features)
    np.testing.assert_array_equal(first, fit(family, data, seed=7).score(data.features))


def check_parity_on_known_and_fresh_rows(family: ModelFamily) -> None:
    data = sample(family)
    fitted = fit(family, data)
    assert_parity(fitted, data.features)
    assert_parity(fitted, sample(family, rows=1_000, seed=2).features)


def check_parity_at_thresholds_and_extremes(family: ModelFamily) -> None:
    data = sample(family)
    fitted = fit(family, data)
    columns = data.features.shape[1]
    # Quarters meet the splits between whole numbers exactly; every float32 near 1e7 is met.
    quarters = np.repeat(np.arange(-6, 6, 0.25, dtype=np.float32)[:, None], columns, axis=1)
    steps = np.repeat(np.arange(1e7 - 2, 1e7 + 12, dtype=np.float32)[:, None], columns, axis=1)
    largest = np.finfo(np.float32).max
    extremes = np.array([0.0, -0.0, 1e-40, -1e-40, 1e-7, 1e6, -1e6, 1e30, -1e30, largest, -largest])
    assert_parity(fitted, quarters)
    assert_parity(fitted, steps)
    assert_parity(fitted, np.repeat(extremes.astype(np.float32)[:, None], columns, axis=1))
    mixed = np.random.default_rng(3).choice(extremes, (200, columns)).astype(np.float32)
    assert_parity(fitted, mixed)


def check_one_row_and_no_row(family: ModelFamily) -> None:
    data = sample(family, rows=120)
    fitted = fit(family, data)
    assert_parity(fitted, data.features[:1])
    assert exported_scores(fitted, data.features[:0]).shape == (0,)


def check_weight_of_positives_raises_scores(family: ModelFamily) -> None:
    """In at least one entry of the portfolio: leaves that are pure cannot give way to a class's weight."""
    data, fresh = sample(family), sample(family, seed=1).features
    heavy = np.where(data.y == 1, 20.0, 1.0)
    weighted = Sample(data.features, data.y, heavy / heavy.mean(), data.categorical)

    def mean_score(on: Sample, params: dict[str, Any]) -> float:
        return float(fit(family, on, params=params).score(fresh).mean())

    entries = family.portfolio(facts_of(data))
    assert any(mean_score(weighted, params) > 1.1 * mean_score(data, params) for params in entries)


def check_rows_of_little_weight_have_little_say(family: ModelFamily) -> None:
    data = sample(family, rows=500)
    wrong = np.arange(len(data.y)) % 2 == 1
    y = np.where(wrong, 1 - data.y, data.y).astype(np.int8)
    weight = np.where(wrong, 1e-3, 1.0)
    misled = Sample(data.features, y, weight / weight.mean(), data.categorical)
    fresh = sample(family, seed=1)
    assert roc_auc_score(fresh.y, fit(family, misled).score(fresh.features)) > 0.75


def check_works_with_four_positives(family: ModelFamily) -> None:
    data = sample(family, rows=60)
    rank = np.argsort(np.argsort(-fit(family, data).score(data.features), kind="stable"))
    rare = Sample(data.features, (rank < 4).astype(np.int8), data.weight, data.categorical)
    assert_parity(fit(family, rare), data.features)


def check_works_with_one_constant_column(family: ModelFamily) -> None:
    y = (np.arange(50) % 5 == 0).astype(np.int8)
    constant = Sample(np.full((50, 1), 3.0, np.float32), y, np.ones(50), ())
    fitted = fit(family, constant)
    assert_parity(fitted, constant.features)
    assert np.ptp(fitted.score(constant.features)) < 1e-6


CHECKS: tuple[Callable[[ModelFamily], None], ...] = tuple(
    check for name, check in list(globals().items()) if name.startswith("check_")
)
