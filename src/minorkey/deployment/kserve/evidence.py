"""What two versions did: counted on the customers' requests, or seen on rows that both are sent."""

from dataclasses import dataclass, field

import numpy as np

from minorkey.bundle.bundle import Bundle
from minorkey.deployment.kserve.fleet import Fleet, Version
from minorkey.deployment.kserve.predictors import Unanswered
from minorkey.deployment.kserve.readings import Reading
from minorkey.errors import StateError
from minorkey.serving.columns import take_rows
from minorkey.serving.samples import sample_rows
from minorkey.serving.verification import inference_body

__all__ = ["Counts", "replay"]

#: Rows of one replayed request.
_ROWS = 5


@dataclass
class Counts:
    """What the predictors of a version have counted since the first look; what went stays counted."""

    fleet: Fleet
    version: Version
    _seen: dict[str, tuple[Reading, Reading]] = field(default_factory=dict)

    def look(self) -> Reading:
        """Ask every predictor, and sum up."""
        for pod in self.fleet.ready(self.version):
            try:
                answer = self.fleet.way.ask(pod, "/metrics")
            except Unanswered:
                continue  # It has just gone; what it counted before stays.
            now = Reading.of(answer.body.decode(), self.fleet.model, self.version.number)
            first, last = self._seen.get(pod.name, (now, now))
            # A container that was started again counts from 0: what it had counted before is lost.
            self._seen[pod.name] = (Reading() if now.requests < last.requests else first, now)
        return sum((now.since(first) for first, now in self._seen.values()), Reading())


def replay(
    fleet: Fleet, old: Version, new: Version, bundle: Bundle, requests: int
) -> tuple[Reading, Reading]:
    """Send the same rows to both versions, in turn, past the gateway.

    No training row is kept where a deploy step may read it, so the rows are drawn from the profile of the
    training rows that the bundle keeps. Predictors neither count nor record them.

    Returns:
        What came of it: of the old version and of the new one.

    Raises:
        StateError: no predictor of a version is left.
    """
    rows = sample_rows(bundle.info, requests * _ROWS, seed=1)
    askers = (_Asker(fleet, old), _Asker(fleet, new))
    for number in range(requests):
        chosen = take_rows(rows, np.arange(number * _ROWS, (number + 1) * _ROWS))
        body = inference_body(chosen)
        for asker in askers:
            asker.ask(body)
    return askers[0].reading(), askers[1].reading()


class _Asker:
    """Sends rows to the predictors of a version, one after the other."""

    def __init__(self, fleet: Fleet, version: Version) -> None:
        self._fleet = fleet
        self._version = version
        self._pods = fleet.ready(version)
        self._path = f"/v2/models/{fleet.model}/versions/{version.number}/infer"
        self._seconds: list[float] = []
        self._scores: list[float] = []
        self._errors = 0

    def ask(self, body: dict[str, object]) -> None:
        """One request, to a pod that is still there."""
        for _ in range(3):
            if not self._pods:
                self._pods = self._fleet.ready(self._version)
            if not self._pods:
                break
            pod = self._pods[len(self._seconds) % len(self._pods)]
            try:
                answer = self._fleet.way.ask(pod, self._path, body)
            except Unanswered:
                self._pods = []
                continue
            self._seconds.append(answer.seconds)
            self._errors += answer.status >= 500
            if answer.status == 200:
                self._scores += [float(score) for score in answer.json()["outputs"][0]["data"]]
            return
        raise StateError(
            f"the predictors of version {self._version.number} went away while they were compared",
            key=f"InferenceService {self._fleet.service} in namespace {self._fleet.api.namespace}",
            remedy="see their events (kubectl describe pods), and run the step again: it goes on",
        )

    def reading(self) -> Reading:
        """What came of it."""
        return Reading.of_answers(self._seconds, self._errors, self._scores)
