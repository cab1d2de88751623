"""Target ``kserve``: an InferenceService of the cluster."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from minorkey.cluster.credentials import in_cluster
from minorkey.cluster.serving import KServeServing
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment.kserve.api import ServingApi
from minorkey.deployment.kserve.fleet import Fleet, Version
from minorkey.deployment.kserve.manifests import (
    disruption_budget,
    inference_service,
    predictor_spec,
    serving_runtime,
)
from minorkey.deployment.kserve.naming import service_name
from minorkey.deployment.kserve.predictors import Direct, Proxied, Way
from minorkey.deployment.kserve.rollout import Rollout
from minorkey.deployment.kserve.service import Service, version_of_predictor
from minorkey.deployment.kserve.storage import storage_uri
from minorkey.deployment.target import Release
from minorkey.errors import SpecError, StateError
from minorkey.registry import move_champion, require_champion
from minorkey.spec import CanarySpec, DeploySpec

__all__ = ["KServeTarget"]

POLL_SECONDS = 2.0
#: Requests with which a version is tried before a customer's request reaches it.
TRIED = 100


@dataclass(frozen=True)
class KServeTarget:
    """Serves models on KServe, in Standard mode.

    Attributes:
        cluster: where and as what.
        limits: what a new version has to show.
        kubeconfig: whom to ask; None: the deploy step's account, elsewhere the default kubeconfig.
        poll: seconds between two looks at the cluster.
        tried: requests with which a version is tried before a customer's request reaches it.
        move: moves the alias ``champion``, as `minorkey.registry.move_champion`.
        require: checks that it may, as `minorkey.registry.require_champion`.
    """

    cluster: ClusterSpec
    limits: CanarySpec
    kubeconfig: Path | None = None
    poll: float = POLL_SECONDS
    tried: int = TRIED
    move: Callable[..., Any] = move_champion
    require: Callable[..., Any] = require_champion

    @classmethod
    def of(cls, spec: DeploySpec, cluster: ClusterSpec) -> "KServeTarget":
        """The target of a run."""
        return cls(cluster, spec.canary, poll=POLL_SECONDS, tried=TRIED)

    @property
    def serving(self) -> KServeServing:
        """Image, identity, resources and replicas.

        Raises:
            SpecError: the cluster's specification has none.
        """
        if self.cluster.serving.kserve is None:
            raise SpecError(
                "the cluster specification says nothing of KServe",
                key="serving.kserve",
                remedy="describe serving.kserve in it",
            )
        return self.cluster.serving.kserve

    def deploy(self, release: Release) -> dict[str, Any]:
        """Bring the version to serve beside the old one, compare them, and replace it or leave it.

        A step that was cut off can be run again: it goes on where it was.

        Raises:
            StateError: the cluster does not take the version, it does worse than the old one, or the champion
                is another one by now.
            ContractError: it answers otherwise than its bundle. After any failure the old version serves.
        """
        namespace, name = self.cluster.serving_namespace, service_name(release.model)
        where = storage_uri(release.bundle_uri, self.cluster.stores)
        if where.rpartition("/")[2] != release.bundle.digest:
            raise StateError(
                "the bundle does not lie where its digest says",
                key="bundle_uri",
                value=release.bundle_uri,
                allowed=f"an address that ends in {release.bundle.digest}",
                remedy="register the version again (minorkey run), which stores its bundle by digest",
            )
        api = ServingApi(namespace, self.kubeconfig)
        way: Way = Direct() if self.kubeconfig is None and in_cluster() else Proxied(api)
        fleet = Fleet(api, way, release.model, name, self.poll, self.serving.start_seconds)
        described = (release.model, release.version, release.bundle.digest, where, self.serving)
        rollout = Rollout(
            Service(api, name, self.serving),
            fleet,
            release.bundle,
            predictor_spec(*described),
            self.limits,
            self.serving.gateway,
            release.proven,
            partial(self.move, release.model, release.version, expected=release.expected),
            partial(self.require, release.model, release.version, expected=release.expected),
            self.tried,
        )
        with _sigterm_raised():
            told = self._roll(rollout, inference_service(*described, namespace), release)
        verified = told.pop("verified")
        return {"url": self._url(api, name), "pid": None, "verified": verified, "rollout": told}

    def _roll(self, rollout: Rollout, manifest: dict[str, Any], release: Release) -> dict[str, Any]:
        service = rollout.service
        found = service.read()
        champion = self.require(release.model, release.version, expected=release.expected)
        service.api.create("servingruntimes", serving_runtime(self.serving, service.api.namespace))
        budget = disruption_budget(release.model, self.serving, service.api.namespace)
        service.api.create("poddisruptionbudgets", budget)
        if found is None:
            return rollout.first(manifest)
        own = Version(release.version, release.bundle.digest)
        stable = version_of_predictor(found["spec"]["predictor"])
        if stable == own and service.former(found) is None:
            return rollout.again()
        if champion == release.version and rollout.share(found) == 100:
            return rollout.finish()
        return rollout.swap(found)

    def _url(self, api: ServingApi, name: str) -> str:
        found = api.find("inferenceservices", name) or {}
        return str((found.get("status") or {}).get("url", ""))


@contextmanager
def _sigterm_raised() -> Iterator[None]:
    """Let the end of the step's pod undo what is under way, as an error would.

    Raises:
        SystemExit: SIGTERM came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
