"""In which form a choice ships: the models of the folds or a refit, within the limit of latency."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import onnx

from minorkey.bundle.latency import row_latency_us
from minorkey.errors import InputError
from minorkey.progress import emit
from minorkey.search.selection import Selected
from minorkey.trials.trial import Configuration

__all__ = ["Shipped", "ship"]

#: Chooses among candidates, with at most so many members.
Choose = Callable[[Sequence[Configuration], int], Selected]
#: Composes a choice from the models of the folds (True) or from refits on all rows (False).
Compose = Callable[[Selected, bool], onnx.ModelProto]


@dataclass(frozen=True)
class Shipped:
    """A choice in the form in which it ships.

    Attributes:
        graph: the graph.
        selected: the choice.
        bag: whether it is made of the models of the folds.
    """

    graph: onnx.ModelProto
    selected: Selected
    bag: bool


def ship(
    candidates: Sequence[Configuration],
    choose: Choose,
    compose: Compose,
    *,
    most: int,
    bag: bool,
    limit: float | None,
    latency: Callable[[onnx.ModelProto], float] = row_latency_us,
) -> Shipped:
    """The best choice that is fast enough, in the form that suits the data where that is fast enough.

    Too slow a choice is tried with fewer members, then as a refit instead of a bag, then each further
    candidate alone in both forms, better ones first. Where a fit for shipping fails, the next is tried too.

    Args:
        candidates: the finalists.
        choose: chooses among candidates.
        compose: composes a choice.
        most: most members.
        bag: whether the models of the folds should ship.
        limit: most microseconds for a row; None: no limit.
        latency: measures a graph, in microseconds.

    Returns:
        The fastest, with a warning, where nothing keeps to the limit.

    Raises:
        InputError: no candidate could be fitted for shipping.
    """
    fastest: tuple[float, Shipped] | None = None
    failure: InputError | None = None
    for selected, as_bag in _attempts(candidates, choose, most, bag):
        try:
            shipped = Shipped(compose(selected, as_bag), selected, as_bag)
        except InputError as error:
            failure = error
            continue
        if limit is None:
            return shipped
        taken = latency(shipped.graph)
        if taken <= limit:
            return shipped if fastest is None else _told(shipped, taken, limit)
        if fastest is None or taken < fastest[0]:
            fastest = taken, shipped
    if fastest is None:
        raise failure or InputError(
            "there is no candidate to ship",
            key="search",
            allowed="at least one finalist",
            remedy="raise search.trials or search.timeout, so that a trial is completed",
        )
    emit(
        "warned",
        text=f"no finalist keeps to search.latency_limit_us = {limit:g}; the fastest ships, which takes "
        f"{fastest[0]:.0f} microseconds a row",
    )
    return fastest[1]


def _attempts(
    candidates: Sequence[Configuration], choose: Choose, most: int, bag: bool
) -> Iterator[tuple[Selected, bool]]:
    """Choices and forms, from the one that is wanted to those that are wanted less."""
    selected = choose(candidates, most)
    yield selected, bag
    while len(selected.members) > 1:
        selected = choose(candidates, len(selected.members) - 1)
        yield selected, bag
    if bag:
        yield selected, False
    left = list(candidates)
    while True:
        left.remove(selected.members[0][0])
        if not left:
            return
        selected = choose(left, 1)
        for form in (True, False) if bag else (False,):
            yield selected, form


def _told(shipped: Shipped, taken: float, limit: float) -> Shipped:
    """The same, with its reason, aloud."""
    form = "the models of the folds" if shipped.bag else "a refit"
    families = ", ".join(configuration.family for configuration, _ in shipped.selected.members)
    reason = (
        f"{families} as {form} takes {taken:.0f} microseconds a row; what would rank better exceeds the "
        f"limit of {limit:g}"
    )
    emit("assumed", text=f"search.latency_limit_us decided what ships: {reason}")
    choice = replace(shipped.selected.choice, reason=reason)
    return replace(shipped, selected=replace(shipped.selected, choice=choice))
