"""Kubernetes quantities: ``250m``, ``4Gi``, ``1e3``."""

import re
from decimal import Decimal

__all__ = ["plain", "quantity"]

_FACTORS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)([numkMGTPE]i?|Ki)?")


def quantity(text: str | int | float) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: it is no quantity.
    """
    match = _QUANTITY.fullmatch(str(text))
    if not match or (match[2] or "") not in _FACTORS:
        raise ValueError(f"{text!r} is no quantity")
    return Decimal(match[1]) * _FACTORS[match[2] or ""]


def plain(number: Decimal) -> str:
    """A quantity without a suffix, in thousandths if it is not whole."""
    return str(int(number)) if number == int(number) else f"{int(number * 1000)}m"
