"""``minorkey init``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from minorkey.aside import put_text
from minorkey.errors import StateError

__all__ = ["init_command"]


def init_command(
    data: str,
    /,
    *,
    target: str | None = None,
    positive: str | None = None,
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Write a commented specification for a data set, with everything that a run would assume.

    Example: `minorkey init mine.csv --target churned --out churn.yaml`, then `minorkey run churn.yaml`

    Parameters
    ----------
    data
        Where the rows are, as for `minorkey run`.
    target
        Column to predict. Needed for data of your own.
    positive
        The target's value that is the rare event. Default: the rarer of the two.
    out
        File to write. Default: MODEL.yaml, named after the data.
    overwrite
        Replace that file.
    """
    from minorkey.cli.local_source import check_local_source
    from minorkey.cli.run import data_spec
    from minorkey.data.describe import initial_spec

    spec = data_spec(data, target, positive)
    check_local_source(data)
    path = out or Path(f"{spec.model}.yaml")
    if path.exists() and not overwrite:
        raise StateError(
            "the file exists already", key=str(path), remedy="add --overwrite, or give another --out"
        )
    text = initial_spec(spec)
    try:
        put_text(path, text)
    except OSError as error:
        raise StateError(
            "the file cannot be written", key=str(path), value=error.strerror, remedy="give another --out"
        ) from None
    print(f"written: {path}\nnext: minorkey run {path}")
