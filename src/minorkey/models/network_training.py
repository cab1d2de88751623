"""Training of the network family in torch, on a GPU where there is one."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from minorkey.data.dataset import Labels
from minorkey.models.family import Matrix, Weights
from minorkey.models.network import LINEAR_RANGE, Inputs, Layers

__all__ = ["split_to_stop_by", "train"]

_EMBEDDING = 8
_NORM_EPSILON = 1e-5
#: Share of embedding look-ups that training sends to the row of unknown codes, so that it is learnt.
_UNKNOWN_SHARE = 0.01
_EPOCHS = 60
_PATIENCE = 8
_HELD_OUT = 0.15
#: An epoch is at most this many steps, so that rare rows do not wait for millions of common ones.
_EPOCH_STEPS = 100


class _Module(nn.Module):
    def __init__(self, inputs: Inputs, width: int, depth: int, dropout: float, log_odds: float) -> None:
        super().__init__()
        self.start = nn.Buffer(torch.from_numpy(inputs.start))
        self.slope = nn.Buffer(torch.from_numpy(inputs.slope))
        self.table = nn.Embedding(max(1, inputs.table_rows), _EMBEDDING)
        sizes = [inputs.start.size + inputs.numeric.size + _EMBEDDING * inputs.codes.size, *[width] * depth]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width, eps=_NORM_EPSILON) for _ in range(depth))
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(width, 1)
        with torch.no_grad():
            self.table.weight.mul_(0.3)
            self.last.bias.fill_(log_odds)

    def forward(self, numbers: Tensor, rows: Tensor) -> Tensor:
        ramps = ((numbers[:, :, None] - self.start) * self.slope).clip(0, 1).flatten(1)
        linear = numbers.clip(-float(LINEAR_RANGE), float(LINEAR_RANGE))
        value = torch.cat([ramps, linear, self.table(rows).flatten(1)], dim=1)
        for layer, norm in zip(self.hidden, self.norms, strict=True):
            value = self.dropout(torch.relu(norm(layer(value))))
        return self.last(value)[:, 0]


def train(
    inputs: Inputs,
    features: Matrix,
    y: Labels,
    weight: Weights,
    params: dict[str, Any],
    *,
    seed: int,
    threads: int,
) -> Layers:
    """Train a network and return it as arrays.

    Args:
        inputs: how columns enter.
        features: shape (n, p).
        y: shape (n,).
        weight: shape (n,), mean 1.
        params: values of the family's space.
        seed: seed of the held-out split, the initial weights, the batches and dropout.
        threads: most threads on a CPU.

    The weights kept are those of the epoch with the least weighted log loss on the held-out split.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    numbers = torch.from_numpy(np.ascontiguousarray(features[:, inputs.numeric]))
    rows = torch.from_numpy(inputs.rows(features))
    target = torch.from_numpy(y.astype(np.float32))
    weights = torch.from_numpy(weight.astype(np.float32))
    fitted, held_out = split_to_stop_by(features, y, seed)
    base_rate = float(np.clip(np.average(y, weights=weight), 1e-6, 1 - 1e-6))
    with _session(seed, threads):
        module = _Module(
            inputs, params["width"], params["depth"], params["dropout"], np.log(base_rate / (1 - base_rate))
        )
        module.to(device)
        tensors = [tensor.to(device) for tensor in (numbers, rows, target, weights)]
        _optimise(module, tensors, fitted, held_out, inputs, params)
        return _layers(module.cpu().eval())


def _optimise(
    module: _Module,
    tensors: list[Tensor],
    fitted: npt.NDArray[np.intp],
    held_out: npt.NDArray[np.intp],
    inputs: Inputs,
    params: dict[str, Any],
) -> None:
    numbers, rows, target, weights = tensors
    device = numbers.device
    pool, judge = torch.from_numpy(fitted).to(device), torch.from_numpy(held_out).to(device)
    unknown = torch.from_numpy(inputs.offsets + inputs.levels).to(device)
    size = int(np.clip(len(fitted) // 20, 16, 512))
    steps = min(_EPOCH_STEPS, max(1, len(fitted) // size))
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=params["learning_rate"], weight_decay=params["weight_decay"]
    )
    best, best_state, waited = float("inf"), _copy(module), 0
    for chunk in _chunks(pool, size, steps):
        module.train()
        for batch in chunk:
            blank = torch.rand(batch.numel(), unknown.numel(), device=device) < _UNKNOWN_SHARE
            margin = module(numbers[batch], torch.where(blank, unknown, rows[batch]))
            loss = _loss(margin, target[batch], weights[batch], params["focal_gamma"])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        module.eval()
        with torch.no_grad():
            margin = torch.cat([module(numbers[part], rows[part]) for part in judge.split(8_192)])
            value = float(_loss(margin, target[judge], weights[judge], 0.0))
        if value < best:
            best, best_state, waited = value, _copy(module), 0
        else:
            waited += 1
            if waited >= _PATIENCE:
                break
    module.load_state_dict(best_state)


def _loss(margin: Tensor, target: Tensor, weight: Tensor, focal_gamma: float) -> Tensor:
    """Weighted mean log loss, or focal loss where the focus is above 0 (Lin et al., 2017)."""
    loss = nn.functional.binary_cross_entropy_with_logits(margin, target, reduction="none")
    if focal_gamma > 0:
        loss = loss * (-torch.expm1(-loss)).clamp_min(1e-8) ** focal_gamma
    return (loss * weight).sum() / weight.sum().clamp_min(1e-12)


def _chunks(pool: Tensor, size: int, steps: int) -> Iterator[list[Tensor]]:
    """Shuffled batches, `steps` of them for each epoch; a pass over the rows may take several epochs."""
    queue: list[Tensor] = []
    for _ in range(_EPOCHS):
        chunk: list[Tensor] = []
        while len(chunk) < steps:
            if not queue:
                order = pool[torch.randperm(pool.numel(), device=pool.device)]
                queue = [batch for batch in order.split(size) if batch.numel() > 1]
            chunk.append(queue.pop())
        yield chunk


def split_to_stop_by(
    features: Matrix, y: Labels, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Positions to fit and positions held out, both classes in each wherever a class has two different rows.

    Equal rows of a class stay together: copies, as random over-sampling makes them, on both sides would let
    the loss fall for ever.

    Args:
        features: shape (n, p).
        y: shape (n,).
        seed: seed of the split.
    """
    rng = np.random.default_rng(seed)
    content = pd.util.hash_pandas_object(pd.DataFrame(features), index=False).to_numpy()
    held_out = []
    for label in (0, 1):
        positions = np.flatnonzero(y == label)
        codes, distinct = pd.factorize(content[positions])
        count = min(max(1, round(_HELD_OUT * len(distinct))), len(distinct) - 1)
        held_out.append(positions[np.isin(codes, rng.permutation(len(distinct))[: max(0, count)])])
    chosen = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(y.size), chosen), chosen


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@contextmanager
def _session(seed: int, threads: int) -> Iterator[None]:
    """Torch seeded and held to its threads, and left as it was found."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def _layers(module: _Module) -> Layers:
    """The module as arrays, each batch normalisation folded into the layer before it."""
    state = {name: value.numpy().astype(np.float64) for name, value in module.state_dict().items()}
    weights, biases = [], []
    for i in range(len(module.norms)):
        gain = state[f"norms.{i}.weight"] / np.sqrt(state[f"norms.{i}.running_var"] + _NORM_EPSILON)
        weights.append(state[f"hidden.{i}.weight"].T * gain)
        shift = state[f"hidden.{i}.bias"] - state[f"norms.{i}.running_mean"]
        biases.append(shift * gain + state[f"norms.{i}.bias"])
    weights.append(state["last.weight"].T)
    biases.append(state["last.bias"])
    return Layers(
        table=state["table.weight"].astype(np.float32),
        weights=tuple(np.ascontiguousarray(weight, np.float32) for weight in weights),
        biases=tuple(bias.astype(np.float32) for bias in biases),
    )
