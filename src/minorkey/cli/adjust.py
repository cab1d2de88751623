"""``minorkey adjust``."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

__all__ = ["adjust_command"]


def adjust_command(
    model: str,
    *,
    data: str,
    seed: int | None = None,
    set: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    out: Path | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Mend a served model's probabilities and threshold on fresh labelled rows, if that is what it needs.

    Says first what is wrong: with a ranking that holds, the scores are shifted, or scaled and shifted, and
    the threshold is chosen anew; the fix serves only if it is proven on later rows than it was fitted on.
    With a ranking that fell nothing is changed: run `minorkey run` on fresh rows. No search, no training.

    Example: `minorkey adjust cards --data labelled.parquet`

    Parameters
    ----------
    model
        Name of the registered model.
    data
        Rows with their labels, newer than those of training, with the columns that training had: a path
        or URI.
    seed
        Seed of the bootstraps.
    set
        Any key of the specification, e.g. `--set evaluate.bootstraps=2000`. Repeatable.
    out
        Folder for the results. Default: `runs/MODEL-adjust-TIME`.
    quiet
        Print nothing but errors.
    """
    from minorkey.cli.run import entry_point, parse_settings
    from minorkey.form import resolve
    from minorkey.registry import data_section
    from minorkey.result import print_summary, write_result
    from minorkey.view import watching

    overrides: dict[str, Any] = {"model": model, "data.source": data} | parse_settings(set or [])
    if seed is not None:
        overrides["seed"] = seed
    spec, _ = resolve({"data": data_section(model)}, overrides)
    folder = out or Path("runs") / f"{model}-adjust-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    run_pipeline = entry_point("run")
    with watching(quiet=quiet, trials=0) as view:
        run_pipeline(spec, folder, pipeline="adjust", watch=view, finish=write_result)
    if not quiet:
        print_summary(folder)
