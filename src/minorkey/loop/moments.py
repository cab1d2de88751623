"""What has happened so far: read from Prometheus, the trigger's ledger and the answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from minorkey.loop.accounts import Fix, read_fix
from minorkey.loop.plan import MODEL, LoopData
from minorkey.loop.prometheus import Prometheus
from minorkey.simulation.stream import Tally

__all__ = ["KEYS", "Figure", "Moment", "Observer"]

#: What has to happen, in this order.
KEYS = ("serving", "healthy", "drift", "harm", "alert", "decided", "fix", "swap", "recovered")
#: Kinds of alerts that tell of harm.
_HARM = ("performance_down", "calibration_off", "prior_shift")


@dataclass(frozen=True)
class Moment:
    """Something that happened: when, in seconds of the stream; which of `KEYS`; and in words."""

    seconds: float
    key: str
    text: str


@dataclass(frozen=True)
class Figure:
    """The measured Matthews correlation of a version at one moment of the stream, as Prometheus has it."""

    seconds: float
    version: str
    value: float
    low: float
    high: float


@dataclass
class Observer:
    """Looks at the loop's parts and notes what is new.

    Attributes:
        prometheus: where the figures are.
        ledger: address and token of the trigger.
        runs: folder of the trigger's runs.
        data: what is streamed.
        version: the champion at the beginning.
        tell: called with each moment.
        moments: what has happened, by key.
        figures: what Prometheus measured.
        fix: what the retune did, once it is known.
    """

    prometheus: Prometheus
    ledger: tuple[str, str]
    runs: Path
    data: LoopData
    version: str
    tell: Callable[[Moment], None]
    moments: dict[str, Moment] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    fix: Fix | None = None
    _began: float = field(default_factory=time.monotonic)

    def is_over(self, after: float) -> bool:
        """Whether the model has recovered, and served for so many seconds since the swap."""
        swap = self.moments.get("swap")
        if swap is None or "recovered" not in self.moments:
            return False
        return time.monotonic() - self._began >= swap.seconds + after

    def look(self, tally: Tally) -> None:
        """Note what is new; a part that does not answer is asked again at the next look."""
        for ask in (self._answers, self._prometheus, self._alerts, self._actions):
            try:
                ask(tally)
            except (httpx.HTTPError, KeyError, ValueError):
                continue

    def _note(self, key: str, text: str) -> None:
        if key not in self.moments:
            self.moments[key] = Moment(time.monotonic() - self._began, key, text)
            self.tell(self.moments[key])

    def _answers(self, tally: Tally) -> None:
        if not tally.rows:
            return
        self._note("serving", f"version {self.version} answers, labels come late, Prometheus counts")
        newest = tally.rows[-1]
        if newest.row >= self.data.first_drifted:
            self._note("drift", "the fraudsters change their ways (nobody is told)")
        if newest.version != self.version:
            failed = sum(tally.failed.values())
            self._note("swap", f"version {newest.version} answers now, {failed} requests failed so far")

    def _prometheus(self, tally: Tally) -> None:
        measured = self._measured(self.version)
        if measured is not None:
            text = f"measured MCC {measured.value:.3f} [{measured.low:.3f}, {measured.high:.3f}]"
            self._note("healthy", text)
            gap = self.prometheus.value(_series("model:minorkey_mcc_gap:measured_high", self.version))
            if gap is not None and gap < 0:
                self._note("harm", f"{text}, at least {-gap:.3f} below what the reference implies")
        if "swap" in self.moments:
            self._look_for_recovery(tally.rows[-1].version)

    def _look_for_recovery(self, version: str) -> None:
        new = self._measured(version)
        before = [one for one in self.figures if one.version == self.version]
        if new is not None and before and new.low > before[-1].value:
            self._note(
                "recovered",
                f"measured MCC {new.value:.3f} [{new.low:.3f}, {new.high:.3f}], "
                f"the version before it had come to {before[-1].value:.3f}",
            )

    def _measured(self, version: str) -> Figure | None:
        names = ("measured", "measured_low", "measured_high")
        found = [self.prometheus.value(_series(f"model:minorkey_mcc:{name}", version)) for name in names]
        if any(one is None for one in found):
            return None
        value, low, high = (float(one or 0.0) for one in found)
        figure = Figure(time.monotonic() - self._began, version, value, low, high)
        self.figures.append(figure)
        return figure

    def _alerts(self, tally: Tally) -> None:
        firing = [
            one["alertname"]
            for one in self.prometheus.firing()
            if one.get("kind") in _HARM and one.get("version") == self.version
        ]
        if firing and "drift" in self.moments:
            self._note("alert", f"{', '.join(sorted(firing))} fires and goes to Alertmanager")

    def _actions(self, tally: Tally) -> None:
        url, token = self.ledger
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx.get(
            f"{url}/ledger", params={"format": "json"}, headers=headers, timeout=5.0, trust_env=False
        )
        for action in reversed(answer.raise_for_status().json()["actions"]):
            if action["source"] == "alert" and action["run_id"]:
                self._note("decided", _decided(action))
                self._read(self.runs / action["run_id"])

    def _read(self, folder: Path) -> None:
        found = read_fix(folder)
        if found is not None and found.promoted:
            self.fix = found
            self._note("fix", found.text)


def _series(name: str, version: str) -> str:
    return f'{name}{{model="{MODEL}", version="{version}"}}'


def _decided(action: dict[str, Any]) -> str:
    return f"the trigger starts a retune ({action['kind']}): {action['reason']}"
