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

    def await_share(self, backend: str, percent: int, check: Callable[[], None]) -> None:
        """Wait until the route sends a share to a backend.

        Args:
            backend: name of the version's Service.
            percent: the share.
            check: called before each look; raises where waiting has become pointless.

        Raises:
            StateError: it never does: KServe makes no route, or not with shares.
        """

        def look() -> bool:
            check()
            route = self._found()
            return route is not None and _is_accepted(route) and _shares(route, backend) == {percent}

        if not self._await(look, f"the route is to carry {percent} %"):
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

    def await_none(self, backend: str) -> None:
        """Wait until nothing is sent to a backend whose share was taken away.

        Raises:
            StateError: it goes on.
        """

        def look() -> bool:
            route = self._found()
            if route is None or not _conditions(route):  # no gateway has ever taken it
                return True
            return _is_accepted(route) and _shares(route, backend) <= {0}

        try:
            empty = self._await(look, f"the route is to leave {backend}")
        except StateError:  # A cluster without routes has none to wait for.
            return
        if not empty:
            raise StateError(
                "the gateway still sends requests to a version whose share was taken away",
                key=f"HTTPRoute {self.fleet.service} in namespace {self.fleet.api.namespace}",
                value=f"backend {backend}",
                allowed="weight 0",
                remedy="its predictors stay, to answer them; see why KServe does not change the route, and "
                "run the step again",
            )

    def _await(self, look: Callable[[], bool], told: str) -> bool:
        seconds = min(_SECONDS, self.fleet.start_seconds)
        return bool(self.fleet.await_(look, seconds, lambda: told))

    def _found(self) -> dict[str, Any] | None:
        return self.fleet.api.find("httproutes", self.fleet.service)


def _conditions(route: dict[str, Any]) -> list[dict[str, Any]]:
    """What gateways say of having accepted the route."""
    parents = (route.get("status") or {}).get("parents") or []
    return [
        condition
        for parent in parents
        for condition in parent.get("conditions") or ()
        if condition["type"] == "Accepted"
    ]


def _is_accepted(route: dict[str, Any]) -> bool:
    """Whether every gateway has accepted the route as it is now."""
    generation, conditions = route["metadata"].get("generation"), _conditions(route)
    return bool(conditions) and all(
        condition["status"] == "True" and condition.get("observedGeneration", generation) == generation
        for condition in conditions
    )


def _shares(route: dict[str, Any], backend: str) -> set[int]:
    """The weights of a backend in the rules that have it."""
    rules = [rule.get("backendRefs") or [] for rule in route["spec"].get("rules") or ()]
    return {ref.get("weight", 1) for refs in rules for ref in refs if ref["name"] == backend}
