"""Why a column is no feature: the reasons, as the schema, the profile and the user read them."""

import shlex
from collections.abc import Mapping

from minorkey.data.sources.table import listed

__all__ = [
    "DROPPED",
    "IDENTIFIER",
    "LEAK",
    "NOT_ENCODABLE",
    "NOT_LISTED",
    "NO_VALUE",
    "ONE_VALUE",
    "ROLE",
    "inferred",
    "of_reason",
    "said_aloud",
]

#: Reasons, or what they begin with.
DROPPED = "dropped by data.drop"
IDENTIFIER = "looks like"
LEAK = "leak suspect"
NOT_ENCODABLE = "holds neither numbers, nor text, nor times"
NOT_LISTED = "not in data.features"
NO_VALUE = "every value is missing"
ONE_VALUE = "has one value only"
ROLE = "has the role"


def of_reason(left_out: Mapping[str, str], *reasons: str) -> list[str]:
    """The columns left out for one of these reasons."""
    return [name for name, text in left_out.items() if text.startswith(reasons)]


def inferred(left_out: Mapping[str, str]) -> dict[str, str]:
    """The columns that the spec did not ask to leave out, each with its reason."""
    asked = of_reason(left_out, DROPPED, NOT_LISTED, ROLE)
    return {name: text for name, text in left_out.items() if name not in asked}


def said_aloud(left_out: Mapping[str, str]) -> list[str]:
    """One line for every reason that the spec did not give: the columns, and how to have them back."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in inferred(left_out).items():
        by_reason.setdefault(reason, []).append(name)
    return [
        f"left out {listed(names)}: {reason}"
        + (
            ""
            if reason in (NOT_ENCODABLE, NO_VALUE, ONE_VALUE)
            else f"; --keep-column {shlex.quote(names[0])} keeps it"
        )
        for reason, names in by_reason.items()
    ]
