"""A model on a fake KServe: its versions, what a deploy step does to it, and the customers who ask it."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx

from minorkey.bundle.bundle import Bundle, write_bundle
from minorkey.bundle.recalibration import write_recalibrated
from minorkey.cluster.serving import KServeServing, Serving
from minorkey.cluster.spec import ClusterSpec, Stores
from minorkey.deployment import Release
from minorkey.deployment.kserve import KServeTarget
from minorkey.deployment.kserve.naming import service_name
from minorkey.errors import StateError
from minorkey.evaluation.calibration import Calibration
from minorkey.serving.samples import sample_rows
from minorkey.serving.verification import inference_body
from minorkey.spec import CanarySpec
from tests.deployment.kserve.fake import FakeKServe, Unavailable

__all__ = ["Customers", "Model", "again", "cluster_spec", "shifted"]

IMAGE = "registry.test/predictor@sha256:" + "1" * 64
#: Tests wait for pods, not for minutes.
QUICK = CanarySpec(percent=30, requests=60, minutes=0.05, max_p99_seconds=5.0)


def again(bundle: Bundle, folder: Path, run: str) -> Bundle:
    """The same graph under another lineage, and so another digest."""
    graph = onnx.load(bundle.folder / "model.onnx")
    write_bundle(folder, graph, replace(bundle.info, lineage={**bundle.info.lineage, "run": run}))
    return Bundle.load(folder)


def shifted(bundle: Bundle, folder: Path) -> Bundle:
    """The same model with log-odds that are far too high."""
    calibration = Calibration("platt", {"slope": 1.0, "intercept": 4.0})
    write_recalibrated(bundle.folder, folder, calibration, bundle.info.threshold)
    return Bundle.load(folder)


def cluster_spec(volume: Path, **serving: Any) -> ClusterSpec:
    """A cluster whose bundles lie on a volume."""
    stores = Stores(
        study_root="s3://a/studies",
        bundle_root=str(volume),
        tracking_uri="http://mlflow:5000",
        bundle_volume="bundles",
        bundle_mount=str(volume),
    )
    given = {"image": IMAGE, "gateway": True, "start_seconds": 20, **serving}
    return ClusterSpec(
        namespace="runs", stores=stores, serving=Serving(namespace="serving", kserve=KServeServing(**given))
    )


@dataclass
class Model:
    """A model, and the alias ``champion`` in memory.

    Attributes:
        fake: where it serves.
        spec: the cluster's specification.
        champion: the version that the alias points to, "" for none.
        limits: what a new version has to show.
    """

    fake: FakeKServe
    spec: ClusterSpec
    name: str = "cards"
    champion: str = ""
    limits: CanarySpec = QUICK
    bundles: dict[str, Bundle] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """Name of its InferenceService."""
        return service_name(self.name)

    def register(self, version: str, bundle: Bundle) -> None:
        """Store a version's bundle by digest."""
        folder = Path(self.spec.stores.bundle_root) / bundle.digest
        if not folder.exists():
            shutil.copytree(bundle.folder, folder)
        self.bundles[version] = bundle
        self.uris[version] = str(folder)

    def target(self, **changes: Any) -> KServeTarget:
        """What deploys it."""
        given = {"move": self.move, "require": self.require, "poll": 0.05, "tried": 30}
        given |= {"kubeconfig": self.fake.cluster.kubeconfig, **changes}
        return KServeTarget(self.spec, self.limits, **given)

    def deploy(
        self, version: str, *, expected: str | None = None, proven: bool = False, **changes: Any
    ) -> dict:
        """What the deploy step does."""
        release = Release(
            self.name,
            version,
            self.bundles[version],
            self.uris[version],
            self.champion if expected is None else expected,
            proven=proven,
        )
        return self.target(**changes).deploy(release)

    def require(self, model: str, version: str, *, expected: str) -> str:
        """See `minorkey.registry.require_champion`."""
        if self.champion not in (version, expected):
            raise StateError("the champion changed", key=model, value=self.champion)
        return self.champion

    def move(self, model: str, version: str, *, expected: str) -> None:
        """See `minorkey.registry.move_champion`."""
        self.require(model, version, expected=expected)
        self.champion = version

    def served(self) -> str:
        """The version that the stable predictor has."""
        spec = self.fake.service(self.service)["spec"]
        assert not spec.get("canary")
        return spec["predictor"]["labels"]["minorkey.io/version"]

    def leaves(self, *predictors: str) -> bool:
        """Whether these Deployments, and no others, are on the cluster, in a moment: controllers take one."""
        until = time.monotonic() + 10
        while self.fake.deployments().keys() != set(predictors) and time.monotonic() < until:
            time.sleep(0.02)
        return self.fake.deployments().keys() == set(predictors)

    def with_serving(self, **changes: Any) -> "Model":
        """The same model under another specification of its serving."""
        kserve = self.spec.serving.kserve
        assert kserve is not None
        serving = self.spec.serving.model_copy(update={"kserve": kserve.model_copy(update=changes)})
        return replace(self, spec=self.spec.model_copy(update={"serving": serving}))


@dataclass
class Customers:
    """Ask for scores all the time, through the gateway.

    Attributes:
        answers: number of answers, by version.
        failures: what went wrong, request by request.
    """

    model: Model
    pause: float = 0.004
    answers: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def asking(self, threads: int = 2) -> Iterator["Customers"]:
        """While the block lasts."""
        self.model.fake.gateway.wait(self.model.fake.namespace, self.model.service)
        workers = [
            threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(threads)
        ]
        for worker in workers:
            worker.start()
        try:
            yield self
        finally:
            self._done.set()
            for worker in workers:
                worker.join(20)

    @property
    def asked(self) -> int:
        """Requests so far."""
        return sum(self.answers.values()) + len(self.failures)

    def _ask(self, seed: int) -> None:
        info = next(iter(self.model.bundles.values())).info
        bodies = [
            json.dumps(inference_body(sample_rows(info, 1, seed=seed * 1_000 + number))).encode()
            for number in range(40)
        ]
        fake, path = self.model.fake, f"/v2/models/{self.model.name}/infer"
        number = 0
        while not self._done.is_set():
            number += 1
            try:
                status, answer = fake.gateway.send(
                    fake.namespace, self.model.service, path, bodies[number % len(bodies)]
                )
            except (OSError, Unavailable) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            else:
                if status == 200:
                    version = json.loads(answer)["model_version"]
                    self.answers[version] = self.answers.get(version, 0) + 1
                else:
                    self.failures.append(f"{status}: {answer[:100]!r}")
            time.sleep(self.pause)
