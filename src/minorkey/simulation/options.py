"""What the options of a simulation may be."""

import math

from minorkey.errors import SpecError

__all__ = ["require_number"]


def require_number(
    option: str, value: float, low: float = -math.inf, high: float = math.inf, unit: str = ""
) -> None:
    """Refuse a number that is too small, too large, infinite or none.

    Args:
        option: its name, as people write it.
        value: what they wrote.
        low: the smallest one that is allowed.
        high: the largest one.
        unit: of the number, for the message.

    Raises:
        SpecError: naming the option, the value and what is allowed.
    """
    if low <= value <= high and math.isfinite(value):
        return
    if low == -math.inf:
        allowed = "a finite number"
    else:
        allowed = f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
    raise SpecError(
        f"{option} does not fit", key=option, value=f"{value:g}", allowed=f"{allowed} {unit}".rstrip()
    )
