"""Kubernetes quantities: ``500m`` cores, ``4Gi`` bytes."""

import re
from decimal import Decimal

from minorkey.errors import SpecError

__all__ = ["QUANTITY", "parse_quantity"]

#: What a quantity in a specification looks like, as a regular expression.
QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"

_WRITTEN = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_FACTORS = {None: Decimal(1), "m": Decimal("1e-3"), "u": Decimal("1e-6"), "n": Decimal("1e-9")}
_FACTORS |= {letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", start=1)}
_FACTORS |= {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)}


def parse_quantity(text: str | int | float, *, key: str = "quantity") -> Decimal:
    """The plain number that a quantity stands for.

    Args:
        text: a number with or without a unit, as a specification or the Kubernetes API writes it.
        key: where it was found, for the message.

    Raises:
        SpecError: it is none.

    Source: Kubernetes documentation, "Quantity".
    """
    written = _WRITTEN.fullmatch(str(text).strip())
    if written is None:
        raise SpecError(
            "this is not a Kubernetes quantity",
            key=key,
            value=text,
            allowed="a number with a unit: 500m, 2, 4Gi",
            remedy="write m for thousandths and Ki, Mi or Gi for memory, without a space",
        )
    return Decimal(written[1]) * _FACTORS[written[2]]
