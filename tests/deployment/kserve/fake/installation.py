"""A fake cluster with KServe in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deployment.kserve.fake.controller import Controller
from tests.deployment.kserve.fake.definitions import GATEWAY_API, KSERVE
from tests.deployment.kserve.fake.gateway import Gateway
from tests.deployment.kserve.fake.predictors import Predictors, Sabotage
from tests.deployment.kserve.fake.webhook import validate
from tests.deployment.kserve.fake.workloads import DeploymentController
from tests.kubernetes.fake import FakeCluster
from tests.kubernetes.fake.kinds import kind_of

__all__ = ["FakeKServe"]


class FakeKServe:
    """KServe in a cluster of its own, open as long as the ``with`` block lasts.

    Args:
        volume: the folder behind volume claim ``bundles``.
        gateway: whether enableGatewayApi is on, and the Gateway API is installed.
        installed: whether KServe is.
        drain: seconds that a preStop hook sleeps at most.
        seed: of the gateway's choices.
    """

    namespace = "serving"
    account = "minorkey-predictor"

    def __init__(
        self, volume: Path, *, gateway: bool = True, installed: bool = True, drain: float = 0.4, seed: int = 0
    ) -> None:
        self.volume = volume
        self._predictors = Predictors(self._folder_of)
        self.cluster = FakeCluster(run_pod=self._predictors.play)
        self._predictors.cluster = self.cluster
        self.cluster.kubelet.longest_sleep = drain
        objects, loop = self.cluster.objects, self.cluster.loop
        self.cluster.add_namespace(self.namespace, {"pod-security.kubernetes.io/enforce": "restricted"})
        metadata = {"metadata": {"name": self.account}}
        objects.create(kind_of("serviceaccounts"), self.namespace, metadata)
        for definition in (*(KSERVE if installed else ()), *(GATEWAY_API if gateway else ())):
            objects.create(kind_of("customresourcedefinitions"), "", definition)
        find = objects.kinds.find
        routes = find("gateway.networking.k8s.io", "v1", "httproutes")
        services = find("serving.kserve.io", "v1beta1", "inferenceservices")
        runtimes = find("serving.kserve.io", "v1alpha1", "servingruntimes")
        if services and runtimes:
            objects.admit_too(validate)
            self.controller = Controller(objects, loop, services, runtimes, routes)
            DeploymentController(objects, self.cluster.deleter, loop)
        self.gateway = Gateway(objects, loop, routes, seed=seed)

    @property
    def sabotage(self) -> dict[str, Sabotage]:
        """What is wrong with which bundle, by its digest."""
        return self._predictors.sabotage

    def __enter__(self) -> "FakeKServe":
        self.cluster.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._predictors.close()
        self.cluster.__exit__(*error)

    def service(self, name: str) -> dict:
        """An InferenceService as it is now."""
        kind = self.cluster.objects.kinds.find("serving.kserve.io", "v1beta1", "inferenceservices")
        assert kind is not None
        with self.cluster.store.lock:
            found = self.cluster.store.content(kind, self.namespace, name)
        assert found is not None, f"there is no InferenceService {name}"
        return found

    @contextmanager
    def routes_forgotten(self, name: str) -> Iterator[None]:
        """The route of an InferenceService stays as it is, whatever becomes of that."""
        self.controller.forgets_routes = True
        yield
        self.controller.forgets_routes = False
        self.controller.resync(self.namespace, name)

    def deployments(self) -> dict[str, dict]:
        """Every Deployment, by name."""
        with self.cluster.store.lock:
            found = self.cluster.store.contents(kind_of("deployments"), self.namespace)
            return {content["metadata"]["name"]: content for content in found}

    def _folder_of(self, uri: str) -> Path | None:
        path = self.volume / uri.removeprefix("pvc://bundles/")
        return path if uri.startswith("pvc://bundles/") and path.is_dir() else None
