"""``minorkey drift``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from minorkey.cli.output import output_file

__all__ = ["drift_command"]


def drift_command(
    *,
    reference: str,
    current: str,
    out: Path | None = None,
    drop: Annotated[list[str] | None, Parameter(negative="")] = None,
    keep_column: Annotated[list[str] | None, Parameter(negative="")] = None,
    alpha: float = 0.05,
    seed: int = 0,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Say whether rows of today come from where the rows of a reference period came from.

    Every column by its population stability index, Jensen-Shannon divergence and a test
    (Kolmogorov-Smirnov or chi-squared); all columns together by maximum mean discrepancy and by a
    classifier; p-values adjusted for their number. Writes a page with the shares by bin. Drift is not
    harm: only labels tell whether a model has become worse.

    Example: `minorkey drift --reference march.csv --current april.csv`

    Parameters
    ----------
    reference
        Rows of the period in which all was well: a path or URI, as for `minorkey run`.
    current
        Rows to judge, with the same columns.
    out
        File for the page. Default: drift.html.
    drop
        Columns not to compare, such as the target. Repeat it, or several names after it.
    keep_column
        Columns to compare though they look like an identifier or the time of the event.
    alpha
        Share of false findings among the findings, at most.
    seed
        Seed of everything random.
    json
        Print JSON instead of text, and write a page only if --out names it.
    """
    from minorkey.data.sources import read_table
    from minorkey.data.sources.table import Limits
    from minorkey.drift.columns import comparable
    from minorkey.drift.comparison import compare
    from minorkey.drift.comparison_text import comparison_text
    from minorkey.spec import DataSpec

    spec = DataSpec(source=reference, drop=tuple(drop or ()), keep=tuple(keep_column or ()))
    before, after = (read_table(source, {}, Limits()) for source in (reference, current))
    frames = before.frame.rename(columns=str), after.frame.rename(columns=str)
    found = compare(comparable(frames[0], frames[1], spec, before.roles), alpha=alpha, seed=seed)
    page = out or (None if json else Path("drift.html"))
    if page is not None:
        from minorkey.drift.page import render_page

        with output_file(page, "page") as aside:
            aside.write_text(render_page(found, reference, current), encoding="utf-8")
    if json:
        import json as encoder

        print(encoder.dumps(found.to_json(), indent=1))
    else:
        print(f"{comparison_text(found)}\n\npage: {page}")
