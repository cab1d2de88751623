"""Every error minorkey raises on purpose.

::

    MinorkeyError                 exit code 1 unless a subclass says otherwise
    ├── InputError                the user's input is at fault; exit code 2, no traceback
    │   ├── SpecError             a key or value of the run specification
    │   ├── DataError             the data set
    │   ├── BundleError           a bundle that is altered, foreign or incomplete
    │   └── StateError            a run folder that is finished, locked or not writable
    ├── ShapeError                arrays that do not belong together (a caller's mistake)
    └── ContractError             a promise between parts was broken (a defect of minorkey)
"""

import json
from pathlib import Path
from typing import Any

__all__ = [
    "BundleError",
    "ContractError",
    "DataError",
    "InputError",
    "MinorkeyError",
    "ShapeError",
    "SpecError",
    "StateError",
]


class MinorkeyError(Exception):
    """Base of every deliberate error."""

    exit_code = 1


class InputError(MinorkeyError):
    """The user's input is at fault: what, where, what is allowed, what to do next.

    Args:
        problem: one sentence that says what is wrong.
        key: the spec key, option, column or file that carries the fault.
        value: what was found there.
        allowed: what would have been accepted.
        remedy: what to do next.
    """

    exit_code = 2

    def __init__(
        self, problem: str, *, key: str = "", value: Any = None, allowed: str = "", remedy: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.key = key
        self.value = value
        self.allowed = allowed
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.problem]
        if self.key:
            lines.append(f"  where:   {self.key}")
        if self.value is not None:
            lines.append(f"  found:   {_shorten(self.value)}")
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.remedy:
            lines.append(f"  remedy:  {self.remedy}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, str]:
        """The error as the content of ``error.json``."""
        return {
            "kind": type(self).__name__,
            "problem": self.problem,
            "key": self.key,
            "value": "" if self.value is None else _shorten(self.value),
            "allowed": self.allowed,
            "remedy": self.remedy,
        }

    def dumps(self) -> str:
        """The text of ``error.json``."""
        return json.dumps(self.to_json(), indent=1)

    @classmethod
    def read(cls, path: Path) -> "InputError":
        """The error that a step left in ``error.json``."""
        fields: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        kinds = {kind.__name__: kind for kind in (SpecError, DataError, BundleError, StateError)}
        kind = kinds.get(fields.pop("kind"), InputError)
        problem, value = fields.pop("problem"), fields.pop("value") or None
        return kind(problem, value=value, **fields)


class SpecError(InputError):
    """A key or value of the run specification."""


class DataError(InputError):
    """The data set."""


class BundleError(InputError):
    """A bundle that is altered, foreign or incomplete."""


class StateError(InputError):
    """A run folder that is finished, locked or not writable."""


class ShapeError(MinorkeyError):
    """Arrays that do not belong together."""


class ContractError(MinorkeyError):
    """A promise between two parts of minorkey was broken."""


def _shorten(value: Any, limit: int = 300) -> str:
    text = str(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text):,} characters)"
