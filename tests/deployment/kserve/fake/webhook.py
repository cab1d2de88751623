"""What KServe's webhook refuses."""

import re

from tests.kubernetes.fake.answers import ApiError
from tests.kubernetes.fake.kinds import Kind
from tests.kubernetes.fake.objects import Objects

__all__ = ["validate"]

_MODE = "serving.kserve.io/deploymentMode"
_AUTOSCALING = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")
_KNOWN = {"predictor", "transformer", "explainer", "canary"}


def validate(objects: Objects, kind: Kind, content: dict, old: dict | None) -> None:
    """Refuse an InferenceService that breaks a rule.

    Raises:
        ApiError: 403, as an admission webhook words it; 422 for a field that the schema does not have.
    """
    if kind.plural != "inferenceservices":
        return
    problem = _problem(content, old)
    if problem:
        who = "inferenceservice.kserve-webhook-server.validator"
        raise ApiError(403, "Forbidden", f'admission webhook "{who}" denied the request: {problem}')


def _problem(content: dict, old: dict | None) -> str:
    name, spec = content["metadata"]["name"], content.get("spec") or {}
    predictor = spec.get("predictor") or {}
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):
        return f'the InferenceService "{name}" is invalid: a name must consist of lower case characters'
    if set(spec) - _KNOWN:
        return f"unknown fields {sorted(set(spec) - _KNOWN)}"
    if bool(predictor.get("model")) == bool(predictor.get("containers")):
        return "exactly one of [model, containers] must be specified in PredictorSpec"
    if predictor.get("scaleTarget", 1) not in range(1, 101):
        return "the target utilization percentage should be a [1-100] integer"
    if predictor.get("minReplicas", 1) > predictor.get("maxReplicas", 10**6):
        return "MinReplicas cannot be greater than MaxReplicas"
    former = old["spec"]["predictor"] if old is not None else predictor
    if former.get("name", "") != predictor.get("name", "") and _uri(former) == _uri(predictor):
        return "predictor.name change requires a model change (e.g. storageUri)"
    return _canary_problem(content, spec.get("canary") or [])


def _canary_problem(content: dict, canaries: list[dict]) -> str:
    if not canaries:
        return ""
    stable = content["spec"]["predictor"]
    if (content["metadata"].get("annotations") or {}).get(_MODE) != "Standard":
        return "canary is only supported in Standard deployment mode"
    if not stable.get("model"):
        return "canary requires a stable predictor with a model"
    names = [entry["predictor"].get("name", "") for entry in canaries]
    if not all(names):
        return "canary predictor.name is required"
    if len(set(names)) < len(names):
        return "canary predictor.name is duplicated"
    if stable.get("name") in names:
        return f"canary predictor.name {stable['name']} conflicts with stable predictor.name"
    if sum(entry.get("trafficPercent", 0) for entry in canaries) > 100:
        return "the sum of canary trafficPercent must be <= 100"
    for entry in canaries:
        told = [key for key in _AUTOSCALING if key in entry["predictor"]]
        if told:
            return f"canary must not set {told[0]}"
        if entry["predictor"].get("minReplicas", 0) > stable.get("minReplicas", 1):
            return "canary minReplicas must not exceed stable minReplicas"
    return ""


def _uri(predictor: dict) -> str:
    return (predictor.get("model") or {}).get("storageUri", "")
