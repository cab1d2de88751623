"""How a new version comes to serve without a failed request, and how the old one stays if it does not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minorkey.bundle.bundle import Bundle
from minorkey.deployment.kserve.comparison import Comparison
from minorkey.deployment.kserve.fleet import Fleet, Version
from minorkey.deployment.kserve.naming import workload_name
from minorkey.deployment.kserve.route import Route
from minorkey.deployment.kserve.service import Service, version_of_predictor
from minorkey.errors import MinorkeyError, StateError
from minorkey.progress import emit
from minorkey.spec import CanarySpec

__all__ = ["Rollout"]

Manifest = dict[str, Any]

#: Seconds after which an old version that does not answer counts as gone, if a start may take that long.
_STUMBLE_SECONDS = 60.0
_ROLLING_NOTE = (
    "the cluster has no gateway for canaries (serving.kserve.gateway is false): the version was tried on "
    "rows like those of training, then replaced the old one pod by pod"
)


@dataclass
class Rollout:
    """One version on its way.

    Attributes:
        service: the model's InferenceService.
        fleet: its predictors.
        bundle: the new version's bundle.
        predictor: the new version's predictor, as `predictor_spec` makes it.
        limits: what it has to show.
        gateway: whether it can get a share of the requests first.
        proven: whether it has served before, so that nothing is to be shown.
        promote: moves the alias ``champion``; raises if it may not.
        champion: the version that the alias points to; raises if that is one the caller does not expect.
        tried: requests with which it is tried before a customer's request reaches it.
    """

    service: Service
    fleet: Fleet
    bundle: Bundle
    predictor: Manifest
    limits: CanarySpec
    gateway: bool
    proven: bool
    promote: Callable[[], None]
    champion: Callable[[], str]
    tried: int = 100
    _moving: bool = field(default=False, init=False)

    @property
    def version(self) -> Version:
        """The new version."""
        return version_of_predictor(self.predictor)

    def first(self, manifest: Manifest) -> dict[str, Any]:
        """Serve a model that nothing serves yet.

        Raises:
            StateError: it does not start, or must not become champion: then nothing serves, as before. Or
                another version began to serve meanwhile, and goes on.
        """
        self._say("begins to serve: there is no InferenceService yet")
        if not self.service.create(manifest):
            self._require_own(self.service.read())
        try:
            self.fleet.await_ready(self.version, self.service.serving.min_replicas)
            verified = self.fleet.verify(self.version, self.bundle)
            self._become_champion()
        except BaseException:
            self._undo(self._take_away)
            raise
        return {"mode": "first", "verified": verified}

    def again(self) -> dict[str, Any]:
        """The version serves already: an earlier try was cut off, or the step is run again."""
        self.fleet.await_ready(self.version, self.service.serving.min_replicas)
        verified = self.fleet.verify(self.version, self.bundle)
        self._become_champion()
        self._without_share()
        self.service.settle()
        return {"mode": "unchanged", "verified": verified}

    def swap(self, found: Manifest) -> dict[str, Any]:
        """Replace what serves, or leave it serving.

        Args:
            found: the InferenceService as it is now, perhaps in the middle of a try that was cut off.

        Raises:
            StateError: the version does not start, does worse than the old one, or must not become champion.
            ContractError: it answers otherwise than its bundle. After any failure the old version serves.
        """
        try:
            former = self.service.former(found)
            if former is not None and version_of_predictor(found["spec"]["predictor"]) == self.version:
                return self._finish_rolling(verified=None, record={})
            if former is not None:
                self._say("comes after an update that was cut off, which is undone first")
                found = self.service.restore()
            old = version_of_predictor(found["spec"]["predictor"])
            replicas = self._dark(found, old)
            verified = self.fleet.verify(self.version, self.bundle)
            if not self._answers(old):
                return self._instead(replicas, verified)
            record = self._tried(old)
            if self.gateway:
                return self._with_share(old, replicas, verified, record)
            self.service.replace(self.predictor)
            return self._finish_rolling(verified, record)
        except BaseException:
            self._undo(self._back_out)
            raise

    def finish(self) -> dict[str, Any]:
        """The version is champion and gets every request: only the old one is to be taken away."""
        verified = self.fleet.verify(self.version, self.bundle)
        self.service.promote(self.predictor)
        return {"mode": "canary", "verified": verified}

    def share(self, found: Manifest) -> int | None:
        """Percent of the requests that the version gets as a canary, None if it is none."""
        entries = found["spec"].get("canary") or []
        shares = [
            int(entry["trafficPercent"])
            for entry in entries
            if version_of_predictor(entry["predictor"]) == self.version
        ]
        return shares[0] if shares else None

    def _dark(self, found: Manifest, old: Version) -> int:
        """Start the version beside the old one, without a share of the requests; gives its pods' number."""
        least = self.service.serving.min_replicas
        replicas = max(least, len(self.fleet.ready(old))) if self.gateway else 1
        if self.share(found) is None:
            self._without_share()
            self.service.canary(self.predictor, 0, replicas)
            self._say(f"starts with {replicas} predictors beside version {old.number}, which serves alone")
        else:
            entry = found["spec"]["canary"][0]["predictor"]
            replicas = int(entry.get("minReplicas", replicas))
            self._say("goes on where an earlier try was cut off")
        self.fleet.await_ready(self.version, replicas)
        return replicas

    def _answers(self, old: Version) -> bool:
        """Whether the old version answers; one that only stumbles is waited for."""
        seconds = min(_STUMBLE_SECONDS, self.fleet.start_seconds / 4)
        return bool(self.fleet.await_(lambda: self.fleet.ready(old), seconds, lambda: "the old version"))

    def _instead(self, replicas: int, verified: dict[str, Any]) -> dict[str, Any]:
        """Nothing answers but the new version: it takes the place at once, and then becomes champion."""
        self._say("takes the place of a version that does not answer")
        if not self.gateway:
            self.service.replace(self.predictor)
            return self._finish_rolling(verified, {}) | {"mode": "instead"}
        self.service.promote(self.predictor)
        self.fleet.await_ready(self.version, replicas)
        self._become_champion()
        return {"mode": "instead", "verified": verified}

    def _without_share(self) -> None:
        """Take away the canaries, once no request goes to them any longer.

        Raises:
            StateError: requests go on to one whose share was taken away, which therefore stays.
        """
        entries = (self.service.read() or {"spec": {}})["spec"].get("canary") or []
        if any(entry["trafficPercent"] for entry in entries):
            self.service.withdraw()
        for entry in entries if self.gateway else ():
            Route(self.fleet).await_none(workload_name(self.service.name, entry["predictor"]["name"]))
        if entries:
            self.service.without_canary()

    def _become_champion(self) -> None:
        """Move the alias; what ends this process from here on may come too late to be undone."""
        self._moving = True
        self.promote()

    def _is_champion(self) -> bool:
        """Whether the alias has moved, as far as the registry tells."""
        try:
            return self._moving and self.champion() == self.version.number
        except StateError:
            return False

    def _is_own(self, found: Manifest | None) -> bool:
        return found is not None and version_of_predictor(found["spec"]["predictor"]) == self.version

    def _require_own(self, found: Manifest | None) -> None:
        """Somebody made the InferenceService after it was looked for; or it is ours, and the answer got lost.

        Raises:
            StateError: it serves another version.
        """
        if not self._is_own(found):
            raise StateError(
                "another version began to serve meanwhile",
                key=f"InferenceService {self.service.name} in namespace {self.service.api.namespace}",
                value="it is gone again"
                if found is None
                else f"version {version_of_predictor(found['spec']['predictor']).number}",
                allowed=f"no InferenceService, or one of version {self.version.number}",
                remedy="run again: the new run is compared with what serves by now",
            )

    def _take_away(self) -> None:
        """Let nothing serve, as before; what somebody else has put there meanwhile is left alone."""
        if self._is_own(self.service.read()):
            self.service.delete()

    def _back_out(self) -> None:
        """Leave the old version serving alone; what somebody else has begun meanwhile is left alone."""
        found = self.service.read()
        if found is None:
            return
        if self.service.former(found) is not None:
            self.service.restore()
        if self.share(found) is not None:
            self._without_share()

    def _comparison(self, old: Version) -> Comparison:
        return Comparison(self.fleet, old, self.version, self.bundle, self.limits, self._say)

    def _tried(self, old: Version) -> dict[str, Any]:
        """What the version shows before a customer's request reaches it.

        Raises:
            StateError: it does worse than the old one.
        """
        return {} if self.proven else {"tried": self._comparison(old).on_rows(self.tried)}

    def _with_share(
        self, old: Version, replicas: int, verified: dict[str, Any], record: dict[str, Any]
    ) -> dict[str, Any]:
        if not self.proven:
            self.service.canary(self.predictor, self.limits.percent, replicas)
            self._await_route(self.limits.percent)
            self._say(f"gets {self.limits.percent} % of the requests")
            record |= self._compared(old)
        self.service.canary(self.predictor, 100, replicas)
        self._await_route(100)
        self._say("gets all requests; the old version stands by")
        self.fleet.await_ready(self.version, replicas)
        self._become_champion()
        self._late(lambda: self.service.promote(self.predictor))
        return {"mode": "canary", "verified": verified, **record}

    def _compared(self, old: Version) -> dict[str, Any]:
        """The verdict on customers' requests.

        Raises:
            StateError: the version does worse than the old one, or somebody else changed the canary.
        """
        return self._comparison(old).on_requests(lambda: self._require_canary(self.limits.percent))

    def _finish_rolling(self, verified: dict[str, Any] | None, record: dict[str, Any]) -> dict[str, Any]:
        """Wait until the version has replaced the old one, pod by pod; then it becomes champion."""
        emit("assumed", text=_ROLLING_NOTE)
        self.fleet.await_ready(self.version, self.service.serving.min_replicas, alone=True)
        verified = self.fleet.verify(self.version, self.bundle) if verified is None else verified
        self._become_champion()
        self._late(self.service.settle)
        return {"mode": "rolling", "note": _ROLLING_NOTE, "verified": verified, **record}

    def _await_route(self, percent: int) -> None:
        """Wait until the gateway's route carries the share.

        Raises:
            StateError: it never does, or somebody else changed the canary.
        """
        name = workload_name(self.service.name, self.predictor["name"])
        Route(self.fleet).await_share(name, percent, lambda: self._require_canary(percent))

    def _require_canary(self, percent: int) -> None:
        """Somebody else may have rolled back meanwhile.

        Raises:
            StateError: the canary is no longer ours.
        """
        found = self.service.read()
        if found is None or self.share(found) != percent:
            raise StateError(
                "somebody else changed the InferenceService while the version was on its way",
                key=f"InferenceService {self.service.name} in namespace {self.service.api.namespace}",
                value="it is gone" if found is None else f"the canary has {self.share(found)} %",
                allowed=f"{percent} % for version {self.version.number}",
                remedy="see who changed it; then run the step again",
            )

    def _undo(self, undo: Callable[[], object]) -> None:
        """Go back; the failure that led here stays the one that is raised."""
        if self._is_champion():
            self._say("is champion already and goes on serving; run the step again to finish it")
            return
        try:
            undo()
        except (MinorkeyError, OSError) as error:
            emit("warned", text=f"{self.fleet.model}: what was begun could not be undone: {error}")
        else:
            self._say("is rolled back")

    def _late(self, last: Callable[[], object]) -> None:
        """The alias has moved and the version gets every request: what fails now undoes nothing."""
        try:
            last()
        except MinorkeyError as error:
            emit(
                "warned",
                text=f"{self.fleet.model}: version {self.version.number} serves and is champion, but the old "
                f"one is not taken away yet; run the step again: {error}",
            )

    def _say(self, text: str) -> None:
        emit("phase", phase="deploy", text=f"{self.fleet.model}: version {self.version.number} {text}")
