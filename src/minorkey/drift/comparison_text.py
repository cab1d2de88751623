"""A comparison as text for a terminal."""

from collections.abc import Iterator

from minorkey.drift.comparison import Comparison

__all__ = ["comparison_text"]

_WIDTH = 28


def comparison_text(comparison: Comparison) -> str:
    """A table of the columns, the joint tests, and what was left out."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    reference, current = comparison.rows
    moved = sum(one.drifted for one in comparison.columns)
    yield (
        f"{moved} of {len(comparison.columns)} columns drifted ({reference:,} reference rows, {current:,} "
        f"current rows, false discovery rate {comparison.alpha:g})"
    )
    yield ""
    yield f"{'column':<{_WIDTH}} {'PSI':>8} {'by chance':>9} {'JS':>8} {'test':>5} {'p':>8} {'adjusted':>8}"
    for one in comparison.columns:
        yield (
            f"{_short(one.name):<{_WIDTH}} {one.psi:>8.4f} {one.psi_limit:>9.4f} {one.jensen_shannon:>8.4f} "
            f"{one.test:>5} {one.p_value:>8.2g} {one.adjusted:>8.2g}{'  drifted' if one.drifted else ''}"
        )
    yield ""
    for test in comparison.joint:
        yield (
            f"{'all columns, ' + test.test:<{_WIDTH}} {test.statistic:>8.4f} {'':>24} {test.p_value:>8.2g} "
            f"{test.adjusted:>8.2g}{'  drifted' if test.drifted else ''}"
        )
    if comparison.left_out:
        yield ""
        yield "not compared:"
        yield from (f"  {_short(name)}: {reason}" for name, reason in comparison.left_out.items())


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
