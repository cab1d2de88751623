"""A new version beside the old one: on rows that both are sent, then on the customers' requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minorkey.bundle.bundle import Bundle
from minorkey.deployment.kserve.evidence import Counts, replay
from minorkey.deployment.kserve.fleet import Fleet, Version
from minorkey.deployment.kserve.readings import Reading
from minorkey.deployment.kserve.verdict import Verdict, judge
from minorkey.errors import StateError
from minorkey.spec import CanarySpec

__all__ = ["Comparison"]


@dataclass(frozen=True)
class Comparison:
    """Two versions of one model, and what the new one has to show.

    Attributes:
        fleet: the model's predictors.
        old: what serves.
        new: what is to serve.
        bundle: the new version's bundle.
        limits: how much worse it may be.
        say: told what the version has shown.
    """

    fleet: Fleet
    old: Version
    new: Version
    bundle: Bundle
    limits: CanarySpec
    say: Callable[[str], None]

    def on_rows(self, requests: int, where: str = "on rows like those of training") -> dict[str, Any]:
        """Send both the same rows; the figures.

        Args:
            requests: to each of them.
            where: how that is called in messages.

        Raises:
            StateError: the new one does worse.
        """
        verdict = judge(*replay(self.fleet, self.old, self.new, self.bundle, requests), self.limits)
        self._require(verdict, where)
        return verdict.figures

    def on_requests(self, check: Callable[[], None]) -> dict[str, Any]:
        """Count what both do for customers, made up of replayed rows where there are too few requests.

        Args:
            check: called before each look; raises where somebody else changed the canary.

        Returns:
            The figures: ``compared``, and ``replayed`` where that was needed.

        Raises:
            StateError: the new one does worse.
        """
        counts = {version: Counts(self.fleet, version) for version in (self.old, self.new)}
        for count in counts.values():
            count.look()
        began = time.monotonic()

        def enough() -> tuple[Reading, Reading] | None:
            check()
            first, second = counts[self.old].look(), counts[self.new].look()
            early = judge(first, second, self.limits)
            if second.error_share > first.error_share + self.limits.max_errors and not early.passed:
                return first, second
            over = second.requests >= self.limits.requests
            return (first, second) if over or time.monotonic() - began > 60 * self.limits.minutes else None

        found: tuple[Reading, Reading] | None = self.fleet.await_(
            enough, 60 * self.limits.minutes + 60, lambda: f"version {self.new.number} shows what it does"
        )
        first, second = found or (counts[self.old].look(), counts[self.new].look())
        verdict = judge(first, second, self.limits)
        self._require(verdict, "on the customers' requests")
        record: dict[str, Any] = {"compared": verdict.figures}
        lacking = int(self.limits.requests - second.requests)
        if lacking > 0:
            where = "on rows like those of training, for want of requests"
            record["replayed"] = self.on_rows(lacking, where)
        return record

    def _require(self, verdict: Verdict, where: str) -> None:
        if verdict.passed:
            self.say(f"does as well as the old version {where}")
            return
        raise StateError(
            f"version {self.new.number} does worse than the one that serves, {where}: it is rolled back",
            key=f"{self.fleet.model}, version {self.new.number}",
            value="; ".join(verdict.objections),
            allowed="what deploy.canary sets",
            remedy="see why in the run's report; the old version serves. Where the difference is meant, "
            "raise the limit that the message names",
        )
