"""``minorkey rollback``."""

from typing import Annotated

from cyclopts import Parameter

__all__ = ["rollback_command"]


def rollback_command(
    model: str,
    *,
    to: Annotated[str, Parameter(allow_leading_hyphen=False)] = "",
    reason: str = "by hand",
) -> None:
    """Make an earlier version of a model its champion again.

    The predictor that runs here is swapped without a failed request, and verified before the alias moves;
    predictors elsewhere that follow `MODEL@champion` swap themselves. The version that is left is tagged
    in the registry with time and reason.

    Example: `minorkey rollback cards --reason "reviewers see too many false alarms"`

    Parameters
    ----------
    model
        Name of the registered model.
    to
        Version to go back to. Default: the champion before the present one.
    reason
        Why, for the record.
    """
    from minorkey.rollback import roll_back

    done = roll_back(model, to=to, reason=reason)
    print(f"{done.model}: version {done.version} is champion again, version {done.left} was left")
    if done.url:
        print(f"it serves at {done.url}")
