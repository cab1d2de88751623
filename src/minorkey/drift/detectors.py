"""Detectors of a change in a stream of values, one value at a time: river's, behind one protocol.

None of them knows whether a change does harm: they are for following a stream and for comparison, and the
alerts of `monitoring/` do not rest on them.

Source: Bifet and Gavalda (2007) for ADWIN; Raab, Heusinger and Schleif (2020) for KSWIN; Gama et al. (2004)
for DDM; Frias-Blanco et al. (2015) for HDDM; Page (1954) for Page-Hinkley.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from minorkey.errors import ShapeError, SpecError

__all__ = ["DETECTORS", "Detector", "alarms", "detector"]


class Detector(Protocol):
    """Follows a stream. After an alarm it begins anew."""

    def update(self, value: float) -> bool:
        """Take the next value; whether it raises an alarm.

        Raises:
            ShapeError: the value is not finite or, for a detector of errors, neither 0 nor 1.
        """
        ...


@dataclass(frozen=True)
class _Kind:
    """How a detector is made.

    Attributes:
        make: river's class, imported when it is needed.
        binary: whether it follows errors, 0 or 1, and not numbers.
        defaults: options that differ from river's.
    """

    make: Callable[[], type[Any]]
    binary: bool
    defaults: dict[str, Any]


def _numeric(name: str, **defaults: Any) -> _Kind:
    def make() -> type[Any]:
        from river import drift

        found: type[Any] = getattr(drift, name)
        return found

    return _Kind(make, False, defaults)


def _of_errors(name: str) -> _Kind:
    def make() -> type[Any]:
        from river.drift import binary

        found: type[Any] = getattr(binary, name)
        return found

    return _Kind(make, True, {})


_KINDS = {
    "adwin": _numeric("ADWIN"),
    "kswin": _numeric("KSWIN", seed=0),
    "page_hinkley": _numeric("PageHinkley"),
    "ddm": _of_errors("DDM"),
    "hddm_a": _of_errors("HDDMA"),
    "hddm_w": _of_errors("HDDMW"),
}
#: Every detector by name, and whether it follows errors (0 or 1) and not any number.
DETECTORS: dict[str, bool] = {name: kind.binary for name, kind in _KINDS.items()}


def detector(name: str, **options: Any) -> Detector:
    """A fresh detector.

    Args:
        name: one of `DETECTORS`.
        options: of river's detector of that name; what is not given keeps river's default. KSWIN draws from
            its window at random and has seed 0 unless another is given.

    Raises:
        SpecError: there is no such detector or option.
    """
    if name not in _KINDS:
        raise SpecError(
            "there is no such drift detector", key="detector", value=name, allowed=", ".join(_KINDS)
        )
    kind = _KINDS[name]
    made = kind.make()
    known = [option for option in inspect.signature(made).parameters if option != "self"]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise SpecError(
            f"the detector {name} has no such option",
            key=f"detector.{unknown[0]}",
            value=options[unknown[0]],
            allowed=", ".join(known),
        )
    return _Followed(made(**kind.defaults | options), kind.binary)


def alarms(followed: Detector, values: Iterable[float]) -> list[int]:
    """Positions of the values that raise an alarm."""
    return [place for place, value in enumerate(values) if followed.update(value)]


class _Followed:
    """A detector of river behind the protocol."""

    def __init__(self, inner: Any, binary: bool) -> None:
        self._inner = inner
        self._binary = binary

    def update(self, value: float) -> bool:
        if not isfinite(value) or (self._binary and value not in (0, 1)):
            raise ShapeError(f"expected {'0 or 1' if self._binary else 'a finite number'}, got {value}")
        self._inner.update(bool(value) if self._binary else float(value))
        return bool(self._inner.drift_detected)
