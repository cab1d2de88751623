"""Texts that a person types where a number, a truth value or a text may stand."""

import contextlib
import json

__all__ = ["scalar"]


def scalar(text: str) -> str | int | float | bool:
    """A number or a truth value where the text is one, else the text itself."""
    with contextlib.suppress(ValueError):
        value = json.loads(text)
        if isinstance(value, str | int | float | bool):
            return value
    return text
