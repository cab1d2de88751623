"""A model's InferenceService: whose it is, what it serves, and the changes that a rollout makes to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minorkey.cluster.serving import KServeServing
from minorkey.deployment.kserve.api import ServingApi
from minorkey.deployment.kserve.fleet import Version
from minorkey.deployment.kserve.manifests import canary_entry
from minorkey.deployment.kserve.naming import LABELS, MANAGED_BY
from minorkey.errors import StateError

__all__ = ["Service", "version_of_predictor"]

Manifest = dict[str, Any]

KIND = "inferenceservices"
#: Annotation: the predictor that a rolling update replaces, until the update is done.
_FORMER = "minorkey.io/former-predictor"
#: Signs that somebody applies the object from Git: annotation or label, and who.
_OWNERS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "app.kubernetes.io/instance": "Argo CD or Helm",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "meta.helm.sh/release-name": "Helm",
}


def version_of_predictor(predictor: Manifest) -> Version:
    """The version that a predictor of ours serves."""
    labels, annotations = predictor.get("labels") or {}, predictor.get("annotations") or {}
    return Version(labels.get(LABELS["version"], ""), annotations.get(LABELS["digest"], ""))


@dataclass(frozen=True)
class Service:
    """One InferenceService.

    Attributes:
        api: the Kubernetes API.
        name: its name.
        serving: replicas, as the cluster's specification has them.
    """

    api: ServingApi
    name: str
    serving: KServeServing

    def read(self) -> Manifest | None:
        """The object, None if there is none.

        Raises:
            StateError: it is not minorkey's, or somebody applies it from Git.
        """
        found = self.api.find(KIND, self.name)
        if found is not None:
            self._require_ours(found)
        return found

    def _require_ours(self, found: Manifest) -> None:
        metadata = found["metadata"]
        signs = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
        owner = next((who for sign, who in _OWNERS.items() if sign in signs), "")
        where = f"InferenceService {self.name} in namespace {self.api.namespace}"
        if owner:
            raise StateError(
                f"the InferenceService is managed by {owner}, which would undo what a deploy step changes",
                key=where,
                value=next(sign for sign in _OWNERS if sign in signs),
                allowed="an InferenceService that only minorkey changes",
                remedy="ship this model by Git: serving.gitops in the cluster specification and "
                "deploy.target: gitops; or take the InferenceService out of Git",
            )
        if signs.get(MANAGED_BY[0]) != MANAGED_BY[1]:
            raise StateError(
                "there is an InferenceService of this name that minorkey did not make",
                key=where,
                value=f"label {MANAGED_BY[0]}: {signs.get(MANAGED_BY[0], 'none')}",
                allowed=f"{MANAGED_BY[0]}: {MANAGED_BY[1]}",
                remedy="give the model another name, use another serving.namespace, or delete that "
                "InferenceService",
            )

    def create(self, manifest: Manifest) -> bool:
        """Make it; False if there is one by now, which stays as it is."""
        return self.api.create(KIND, manifest)

    def delete(self) -> None:
        """Take it away, with all its predictors."""
        self.api.delete(KIND, self.name)

    def change(self, change: Callable[[Manifest], Manifest]) -> Manifest:
        """Replace its ``spec`` and annotations by what a function makes of the object."""

        def changed(found: Manifest) -> Manifest:
            self._require_ours(found)
            return change(json.loads(json.dumps(found)))

        return self.api.update(KIND, self.name, changed)

    def canary(self, predictor: Manifest, percent: int, replicas: int) -> Manifest:
        """Let a predictor be the only canary, with a share of the requests.

        KServe takes the canary's replicas from the stable predictor's least number, so that is raised by as
        many: what serves keeps its pods.
        """

        def change(found: Manifest) -> Manifest:
            spec = found["spec"]
            stable = spec["predictor"]
            stable["minReplicas"] = max(self.serving.min_replicas, replicas) + replicas
            stable["maxReplicas"] = max(self.serving.max_replicas, stable["minReplicas"])
            spec["canary"] = [canary_entry(predictor, percent, replicas)]
            return found

        return self.change(change)

    def withdraw(self) -> Manifest:
        """Take every canary's share of the requests away, and leave its pods."""

        def change(found: Manifest) -> Manifest:
            for entry in found["spec"].get("canary") or []:
                entry["trafficPercent"] = 0
            return found

        return self.change(change)

    def without_canary(self) -> Manifest:
        """Let the stable predictor serve alone, with the replicas of the specification."""

        def change(found: Manifest) -> Manifest:
            spec = found["spec"]
            spec.pop("canary", None)
            spec["predictor"] |= {
                "minReplicas": self.serving.min_replicas,
                "maxReplicas": self.serving.max_replicas,
            }
            return found

        return self.change(change)

    def promote(self, predictor: Manifest) -> Manifest:
        """Make the canary the stable predictor: under its own name, so that KServe restarts nothing."""

        def change(found: Manifest) -> Manifest:
            found["spec"].pop("canary", None)
            found["spec"]["predictor"] = predictor
            return found

        return self.change(change)

    def replace(self, predictor: Manifest) -> Manifest:
        """Put a predictor in the stable one's place, pod by pod, and remember what was there."""

        def change(found: Manifest) -> Manifest:
            spec, metadata = found["spec"], found["metadata"]
            stable = dict(spec["predictor"])
            annotations = metadata.setdefault("annotations", {})
            if version_of_predictor(stable) != version_of_predictor(predictor):
                annotations.setdefault(_FORMER, json.dumps(stable))
            spec["predictor"] = _renamed(predictor, stable) | {
                key: stable[key] for key in ("minReplicas", "maxReplicas") if key in stable
            }
            return found

        return self.change(change)

    def settle(self) -> Manifest:
        """Forget what a rolling update replaced, and the canary that came before it."""

        def change(found: Manifest) -> Manifest:
            found["metadata"].get("annotations", {}).pop(_FORMER, None)
            return found

        self.change(change)
        return self.without_canary()

    def restore(self) -> Manifest:
        """Put back what a rolling update under way replaces."""

        def change(found: Manifest) -> Manifest:
            former = found["metadata"].get("annotations", {}).pop(_FORMER, None)
            if former:
                found["spec"]["predictor"] = json.loads(former)
            return found

        return self.change(change)

    @staticmethod
    def former(found: Manifest) -> Manifest | None:
        """The predictor that a rolling update under way replaces, None if there is none."""
        text = (found["metadata"].get("annotations") or {}).get(_FORMER)
        return json.loads(text) if text else None


def _renamed(predictor: Manifest, stable: Manifest) -> Manifest:
    """A predictor under the stable one's name: another name would be another Deployment."""
    rest = {key: value for key, value in predictor.items() if key != "name"}
    return {**({"name": stable["name"]} if "name" in stable else {}), **rest}
