"""The predictors of a model on the cluster: waited for, verified, asked and counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minorkey.bundle.bundle import Bundle
from minorkey.deployment.kserve.api import ServingApi
from minorkey.deployment.kserve.pods import PredictorPod
from minorkey.deployment.kserve.predictors import Unanswered, Way
from minorkey.errors import ContractError, StateError
from minorkey.progress import emit
from minorkey.serving.verification import check_answer, inference_body, verification_rows

__all__ = ["Fleet", "Version"]

#: Seconds between two signs of life while something is waited for.
_SIGN_SECONDS = 30.0
#: Seconds after which trouble that no pod has overcome is believed, if the start may take that long.
_TROUBLE_SECONDS = 60.0


@dataclass(frozen=True)
class Version:
    """A version as pods are labelled with it.

    Attributes:
        number: the registered version.
        digest: of its bundle.
    """

    number: str
    digest: str

    def serves(self, pod: PredictorPod) -> bool:
        """Whether a pod serves this bundle as this version."""
        return pod.version == self.number and pod.digest == self.digest[:12]


@dataclass
class Fleet:
    """All predictors of one InferenceService.

    Attributes:
        api: the Kubernetes API.
        way: how a pod is reached.
        model: name of the registered model.
        service: name of the InferenceService.
        poll: seconds between two looks.
        start_seconds: within which predictors of a version answer.
    """

    api: ServingApi
    way: Way
    model: str
    service: str
    poll: float
    start_seconds: float

    def pods(self) -> list[PredictorPod]:
        """Those that are not about to end."""
        found = (PredictorPod.of(pod) for pod in self.api.pods(self.service))
        return [pod for pod in found if not pod.leaving]

    def ready(self, version: Version) -> list[PredictorPod]:
        """Those of a version that answer."""
        return [pod for pod in self.pods() if pod.ready and version.serves(pod)]

    def await_ready(self, version: Version, number: int, *, alone: bool = False) -> list[PredictorPod]:
        """Wait until so many predictors of a version answer.

        Args:
            version: which.
            number: how many.
            alone: whether those of other versions have to be gone too, canaries of this version included.

        Raises:
            StateError: they do not within `start_seconds`, or clearly will not.
        """
        troubled: float | None = None

        def look() -> list[PredictorPod] | None:
            nonlocal troubled
            pods = self.pods()
            own = [pod for pod in pods if version.serves(pod)]
            answering = [pod for pod in own if pod.ready]
            others = [pod for pod in pods if pod.ready and not version.serves(pod)]
            if len(answering) >= number and not (alone and others):
                return answering
            # A node may be on its way; a container that fails or a bundle that is not read seldom mend.
            if answering or not any(pod.cause in ("bundle", "container") for pod in own):
                troubled = None
            else:
                troubled = troubled or time.monotonic()
                if time.monotonic() - troubled > min(_TROUBLE_SECONDS, self.start_seconds / 4):
                    raise self.unanswered(version, own)
            return None

        def told() -> str:
            pods = [pod for pod in self.pods() if version.serves(pod)]
            trouble = next((f"; {pod.trouble}" for pod in pods if pod.trouble), "")
            return f"{sum(pod.ready for pod in pods)} of {number} predictors of version {version.number} " + (
                f"answer{trouble}"
            )

        found = self.await_(look, self.start_seconds, told)
        if found is None:
            raise self.unanswered(version, [pod for pod in self.pods() if version.serves(pod)])
        return found

    def await_(self, look: Callable[[], Any], seconds: float, told: Callable[[], str]) -> Any:
        """What a function gives once that is something; None if it never is within so many seconds."""
        began = signed = time.monotonic()
        while True:
            found = look()
            now = time.monotonic()
            if found or now - began > seconds:
                return found or None
            if now - signed > _SIGN_SECONDS:
                signed = now
                emit("waiting", reason="deploy", object=self.service, text=f"{self.model}: {told()}")
            time.sleep(self.poll)

    def unanswered(self, version: Version, pods: list[PredictorPod]) -> StateError:
        """The error of a version whose predictors do not get ready, with what the cluster says of them."""
        trouble = next((pod for pod in pods if pod.trouble), None)
        name = trouble.name if trouble else f"pods of version {version.number}"
        if not pods:
            remedy = (
                f"see `kubectl -n {self.api.namespace} get events`: a quota, Pod Security or a missing "
                "ServiceAccount refuses them, or KServe does not run"
            )
        elif trouble and trouble.cause == "bundle":
            remedy = (
                "check that the Secrets of serving.kserve.service_account open the bundle root, or that the "
                "volume claim is in the serving namespace"
            )
        else:
            remedy = (
                f"see `kubectl -n {self.api.namespace} describe pods -l "
                f"serving.kserve.io/inferenceservice={self.service}` and the pods' logs"
            )
        return StateError(
            f"the predictors of version {version.number} do not answer within {self.start_seconds:.0f} s",
            key=f"{name} of InferenceService {self.service} in namespace {self.api.namespace}",
            value=trouble.trouble if trouble else ("no pod was made" if not pods else "they never get ready"),
            remedy=remedy,
        )

    def verify(self, version: Version, bundle: Bundle) -> dict[str, Any]:
        """Check that every predictor of a version that answers serves the bundle and answers like it.

        Returns:
            ``rows``, ``largest_difference`` and ``pods``.

        Raises:
            StateError: one does not answer after all.
            ContractError: one serves another bundle, or other scores.
        """
        rows = verification_rows(bundle)
        body, path = inference_body(rows), f"/v2/models/{self.model}/versions/{version.number}"
        found = []
        for pod in self.ready(version):
            try:
                answers = [self.way.ask(pod, path), self.way.ask(pod, f"{path}/infer", body)]
            except Unanswered as error:
                raise self.unreached(pod, str(error)) from None
            for answer in answers:
                if answer.status == 429 or answer.status >= 500:
                    raise self.unreached(pod, f"it answers {answer.status}: {answer.body[:200]!r}")
                if answer.status != 200:
                    raise ContractError(
                        f"predictor {pod.name} answers {answer.status}: {answer.body[:200]!r}"
                    )
            found.append(check_answer(answers[0].json(), answers[1].json(), rows, bundle))
        if not found:
            raise self.unanswered(version, [])
        return {**max(found, key=lambda one: one["largest_difference"]), "pods": len(found)}

    def unreached(self, pod: PredictorPod, told: str) -> StateError:
        """The error of a pod that answers the kubelet, but not here."""
        return StateError(
            "a predictor is not reached past the gateway",
            key=f"pod {pod.name} ({pod.address}) in namespace {self.api.namespace}",
            value=told,
            remedy="let a NetworkPolicy admit the deploy step to port 8080 of the predictors; outside the "
            "cluster, be allowed to get and create pods/proxy",
        )
