"""Kubernetes quantities: ``500m`` cores, ``4Gi`` bytes."""

import re
from decimal import Decimal

from minorkey.errors import SpecError

__all__ = ["QUANTITY", "parse_quantity"]

#: What a quantity looks like, as a regular expression.
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"

_FACTORS = {"": Decimal(1), "m": Decimal("0.001")}
_FACTORS |= {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTP", start=1)}
_FACTORS |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTP", start=1)}


def parse_quantity(text: str | int | float, *, key: str = "quantity") -> Decimal:
    """The plain number that a quantity stands for.

    Args:
        text: a number with or without a unit, as the Kubernetes API writes it.
        key: where it was found, for the message.

    Raises:
        SpecError: it is none.

    Source: Kubernetes documentation, "Quantity".
    """
    written = str(text).strip()
    if not re.match(QUANTITY, written):
        raise SpecError(
            "this is not a Kubernetes quantity",
            key=key,
            value=text,
            allowed="a number with a unit: 500m, 2, 4Gi",
        )
    number = written.rstrip("".join({letter for unit in _FACTORS for letter in unit}))
    return Decimal(number) * _FACTORS[written[len(number) :]]
