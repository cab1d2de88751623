"""Challenger and champion side by side, as text for a terminal."""

import math
from collections.abc import Iterator

from minorkey.evaluation.metrics import Confusion, matthews_corrcoef
from minorkey.evaluation.paired import confusion_of_challenger, confusion_of_champion, mcc_difference
from minorkey.serving.shadow_counts import Outcomes, ShadowCounts

__all__ = ["LEAST_POSITIVES", "comparison_text"]

#: Fewest mature positives for a measured figure, as the recording rules have it.
LEAST_POSITIVES = 50

_Line = tuple[str, str, str]
_Z = 1.959963984540054


def comparison_text(
    model: str, counts: list[ShadowCounts], outcomes: dict[tuple[str, str], Outcomes] | None
) -> str:
    """A table for each pair of challenger and champion.

    Args:
        model: name of the model.
        counts: of its predictor.
        outcomes: that have matured; None where no feedback service is known.
    """
    if not counts:
        return f"{model}: nothing has been in shadow; begin with `minorkey shadow start {model}`"
    return "\n\n".join(_pair(model, one, outcomes) for one in counts)


def _pair(model: str, counts: ShadowCounts, outcomes: dict[tuple[str, str], Outcomes] | None) -> str:
    state = "" if counts.loaded else " (ended)"
    lines = [("", f"champion {counts.champion}", f"challenger {counts.version}"), *_decisions(counts)]
    measured = None if outcomes is None else outcomes.get((counts.version, counts.champion))
    if measured is not None and measured.labels[1] >= LEAST_POSITIVES:
        lines += _measured(measured)
    wide = [max(len(line[place]) for line in lines) for place in range(3)]
    table = [
        f"  {name:<{wide[0]}}  {first:>{wide[1]}}  {second:>{wide[2]}}".rstrip()
        for name, first, second in lines
    ]
    title = f"{model}: version {counts.version} in the shadow of version {counts.champion}{state}"
    return "\n".join([title, *table, *_verdict(outcomes is not None, measured)])


def _decisions(counts: ShadowCounts) -> Iterator[_Line]:
    table = counts.decisions
    yield "rows that both scored", f"{counts.rows:,}", f"{counts.rows:,}"
    yield (
        "called positive",
        _share(table[1, :].sum(), counts.rows),
        _share(table[:, 1].sum(), counts.rows),
    )
    yield (
        "called positive by this one alone",
        _share(table[1, 0], counts.rows),
        _share(table[0, 1], counts.rows),
    )
    for name, share in (("half", 0.5), ("99 %", 0.99)):
        first, second = (_milliseconds(counts.quantile(one, share)) for one in ("champion", "challenger"))
        yield f"scores {name} of the requests within", first, second
    yield "rows that failed", "", f"{counts.failed:,}"
    yield "rows that found no room to wait", "", f"{int(counts.missed):,}"


def _measured(found: Outcomes) -> Iterator[_Line]:
    both = confusion_of_champion(found.cells), confusion_of_challenger(found.cells)
    yield "mature outcomes", f"{int(found.labels.sum()):,}", f"{int(found.labels[1]):,} positive"
    for name, figure in (("precision", _precision), ("recall", _recall)):
        first, second = (f"{figure(confusion):.3f}" for confusion in both)
        yield name, first, second
    first, second = (f"{matthews_corrcoef(confusion)[0]:.3f}" for confusion in both)
    yield "Matthews correlation", first, second


def _verdict(asked: bool, found: Outcomes | None) -> Iterator[str]:
    if not asked:
        yield "  outcomes: unknown; name the feedback service (--feedback or MINORKEY_FEEDBACK_URL)"
        return
    positives = 0 if found is None else int(found.labels[1])
    if found is None or positives < LEAST_POSITIVES:
        yield f"  outcomes: {positives:,} mature positives; figures come from {LEAST_POSITIVES} on"
        return
    difference, variance = mcc_difference(found.cells, found.squares)
    low, high = (difference + sign * _Z * math.sqrt(variance) for sign in (-1, 1))
    said = "the challenger is better" if low > 0 else "the champion is better" if high < 0 else "undecided"
    yield f"  Matthews correlation differs by {difference:+.3f} [{low:+.3f}, {high:+.3f}]: {said}"


def _share(rows: float, total: int) -> str:
    return f"{int(rows):,} ({100 * rows / total:.2f} %)" if total else "0"


def _milliseconds(seconds: float) -> str:
    return "-" if math.isnan(seconds) else "over 5 s" if math.isinf(seconds) else f"{1_000 * seconds:g} ms"


def _precision(confusion: Confusion) -> float:
    return float(confusion.tp[0] / max(1e-12, confusion.tp[0] + confusion.fp[0]))


def _recall(confusion: Confusion) -> float:
    return float(confusion.tp[0] / max(1e-12, confusion.tp[0] + confusion.fn[0]))
