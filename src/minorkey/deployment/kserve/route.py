"""The gateway's route to a model: which share of the requests it sends to which version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minorkey.deployment.kserve.fleet import Fleet
from minorkey.errors import StateError

__all__ = ["Route"]

#: Seconds within which KServe writes a new share into the route.
_SECONDS = 120.0


@dataclass(frozen=True)
class Route:
    """The HTTPRoute that KServe makes for an InferenceService.

    Attributes:
        fleet: the model's predictors.
    """

    fleet: Fleet

    def comes_to_carry(self, backend: str, percent: int, check: Callable[[], None]) -> bool:
        """Whether the route comes to send a share to a backend, in good time.

        Args:
            backend: name of the version's Service.
            percent: the share.
            check: called before each look; raises where waiting has become pointless.
        """

        def look() -> bool:
            check()
            route = self._found()
            return route is not None and _carries(route, backend, percent)

        seconds = min(_SECONDS, self.fleet.start_seconds)
        return bool(self.fleet.await_(look, seconds, lambda: f"the route is to carry {percent} %"))

    def await_share(self, backend: str, percent: int, check: Callable[[], None]) -> None:
        """Wait until the route carries the share.

        Raises:
            StateError: it never does: KServe makes no route, or not with shares.
        """
        if not self.comes_to_carry(backend, percent, check):
            raise StateError(
                "the new version gets no share of the requests: the cluster has no gateway for canaries",
                key=f"HTTPRoute {self.fleet.service} in namespace {self.fleet.api.namespace}",
                value="there is none"
                if self._found() is None
                else "its backends have other weights, or no gateway has accepted it",
                allowed=f"backend {backend} with weight {percent}",
                remedy="let KServe use the Gateway API (enableGatewayApi, kserveIngressGateway in ConfigMap "
                "inferenceservice-config), or set serving.kserve.gateway to false for rolling updates",
            )

    def _found(self) -> dict[str, Any] | None:
        return self.fleet.api.find("httproutes", self.fleet.service)


def _carries(route: dict[str, Any], backend: str, percent: int) -> bool:
    """Whether an accepted route sends this share to a backend in every rule that has it."""
    parents = (route.get("status") or {}).get("parents") or []
    generation = route["metadata"].get("generation")
    accepted = [
        condition["status"] == "True" and condition.get("observedGeneration", generation) == generation
        for parent in parents
        for condition in parent.get("conditions") or ()
        if condition["type"] == "Accepted"
    ]
    rules = [rule.get("backendRefs") or [] for rule in route["spec"].get("rules") or ()]
    shares = [ref.get("weight", 1) for refs in rules for ref in refs if ref["name"] == backend]
    return bool(accepted) and all(accepted) and bool(shares) and set(shares) == {percent}
