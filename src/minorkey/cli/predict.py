"""``minorkey predict``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from minorkey.cli.output import require_table_format, write_table
from minorkey.errors import DataError

if TYPE_CHECKING:
    pass

__all__ = ["predict_command"]

#: Words of messages that speak of a specification, and what they are here.
_WORDS = {
    " where no time is known, or leave the column out (data.drop)": " where no time is known",
    ", or leave the column out (data.drop)": ", or leave the cells empty: the bundle scores missing values",
    ", or raise data.max_columns": "",
    " (data.max_columns)": "",
    " (data.max_cell_bytes)": "",
    "data.source": "--data",
    "data.options.": "--",
}


def predict_command(
    *,
    bundle: Path,
    data: str,
    out: Path,
    separator: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    decimal: str | None = None,
    encoding: str | None = None,
    format: str | None = None,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Score a file with a bundle.

    Writes one row for each row of the input, in its order: `score` is the calibrated probability,
    `predicted` is 1 where it reaches the bundle's threshold. The target may be absent.

    Example: `minorkey predict --bundle runs/fraud/bundle --data new.csv --out scores.parquet`

    Parameters
    ----------
    bundle
        Folder of a bundle, such as `runs/MODEL/bundle`.
    data
        The rows: a path or URI of a CSV, TSV, Parquet or npz file.
    out
        File for the scores; its suffix, .csv or .parquet, says the format.
    separator
        Between the fields of a text file. Default: as in training, else told from the header.
    decimal
        Decimal mark of a text file. Default: as in training, else a point.
    encoding
        Encoding of a text file. Default: as in training, else UTF-8.
    format
        Format of the file, such as csv, where its suffix tells none.
    quiet
        Print nothing but errors.
    """
    require_table_format(out)
    import pandas as pd

    from minorkey.bundle.bundle import Bundle
    from minorkey.data.encoding import encode_features
    from minorkey.data.sources import read_frame, reading_options

    loaded = Bundle.load(bundle)
    given = {"separator": separator, "decimal": decimal, "encoding": encoding, "format": format}
    options = reading_options(data, loaded.info.schema.reading)
    options |= {name: value for name, value in given.items() if value is not None}
    with _without_specification():
        features = encode_features(read_frame(data, options), loaded.info.schema)
    _, score = loaded.score(features)
    predicted = (score >= loaded.info.threshold).astype(int)
    write_table(pd.DataFrame({"score": score, "predicted": predicted}), out)
    if not quiet:
        print(f"{len(score):,} rows scored, {int(predicted.sum()):,} called positive: {out}")


@contextmanager
def _without_specification() -> Iterator[None]:
    """Let what is wrong with the rows speak of this command, which has no specification to change."""
    try:
        yield
    except DataError as error:
        said = {name: getattr(error, name) for name in ("key", "allowed", "remedy")}
        for of_specification, here in _WORDS.items():
            said = {name: text.replace(of_specification, here) for name, text in said.items()}
        raise DataError(error.problem, value=error.value, **said) from None
