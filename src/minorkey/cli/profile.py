"""``minorkey profile``."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["profile_command"]


def profile_command(
    data: str,
    /,
    *,
    target: str | None = None,
    positive: str | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Say what a data set is like: balance, missing values, identifiers, duplicates, leak suspects.

    Example: `minorkey profile mine.csv --target churned`

    Parameters
    ----------
    data
        Where the rows are, as for `minorkey run`.
    target
        Column to predict. Needed for data of your own.
    positive
        The target's value that is the rare event. Default: the rarer of the two.
    json
        Print profile.json instead of text.
    """
    from minorkey.cli.local_source import check_local_source
    from minorkey.cli.run import data_spec
    from minorkey.data.describe import describe, profile_text

    spec = data_spec(data, target, positive)
    check_local_source(data)
    loaded = describe(spec)
    if json:
        import json as encoder

        print(encoder.dumps(loaded.profile, indent=1))
    else:
        print(profile_text(loaded))
