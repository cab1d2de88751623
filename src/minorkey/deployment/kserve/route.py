"""The gateway's route to a model: which share of the requests it sends to which version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minorkey.deployment.kserve.api import NoKind
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
        try:
            empty = self._await(lambda: self._sends_nothing(backend), f"the route is to leave {backend}")
        except NoKind:  # A cluster without routes has none to wait for.
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

    def _sends_nothing(self, backend: str) -> bool:
        route = self._found()
        if route is None:
            return True
        conditions = _conditions(route)
        if any(_is_outdated(condition, route) for condition in conditions):
            return False
        # A gateway that refuses the route, or has never seen it, sends nothing by it.
        return _shares(route, backend) <= {0} or all(one["status"] != "True" for one in conditions)

    def _await(self, look: Callable[[], bool], told: str) -> bool:
        seconds = min(_SECONDS, self.fleet.start_seconds)
        return bool(self.fleet.await_(look, seconds, lambda: told))

    def _found(self) -> dict[str, Any] | None:
        return self.fleet.api.find("httproutes", self.fleet.service)


def _conditions(route: dict[str, Any]) -> list[dict[str, Any]]:
    """What the gateways that the route names say of having accepted it."""
    wanted = {parent["name"] for parent in route["spec"].get("parentRefs") or ()}
    return [
        condition
        for parent in (route.get("status") or {}).get("parents") or []
        for condition in parent.get("conditions") or ()
        if condition["type"] == "Accepted" and parent["parentRef"]["name"] in wanted
    ]


def _is_outdated(condition: dict[str, Any], route: dict[str, Any]) -> bool:
    """Whether a gateway has still to look at the route as it is now."""
    generation = route["metadata"].get("generation")
    return bool(condition.get("observedGeneration", generation) != generation)


def _is_accepted(route: dict[str, Any]) -> bool:
    """Whether every gateway has accepted the route as it is now."""
    conditions = _conditions(route)
    return bool(conditions) and all(
        condition["status"] == "True" and not _is_outdated(condition, route) for condition in conditions
    )


def _shares(route: dict[str, Any], backend: str) -> set[int]:
    """The weights of a backend in the rules that have it."""
    rules = [rule.get("backendRefs") or [] for rule in route["spec"].get("rules") or ()]
    return {ref.get("weight", 1) for refs in rules for ref in refs if ref["name"] == backend}
