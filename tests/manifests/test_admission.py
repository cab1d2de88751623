"""What the admission policy of the trials' namespace lets in, evaluated by Google's own CEL."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from cel_expr_python import cel

from minorkey.cluster.spec import load_cluster_spec
from minorkey.trials.kubernetes.jobs import trial_job
from tests.manifests.built import MANIFESTS, Manifest, build, one

ENVIRONMENTS = ("dev", "prod")


def verdict(environment: str, job: Manifest) -> list[str]:
    """Messages of the validations that a Job does not pass, as the API server would put them together."""
    manifests = build(f"overlays/{environment}")
    policy = one(manifests, "ValidatingAdmissionPolicy", f"minorkey-{environment}-trials")["spec"]
    binding = one(manifests, "ValidatingAdmissionPolicyBinding", f"minorkey-{environment}-trials")["spec"]
    assert policy["paramKind"] == {"apiVersion": "v1", "kind": "ConfigMap"}
    known: dict[str, Any] = {
        "object": job,
        "params": one(manifests, "ConfigMap", binding["paramRef"]["name"]),
        "variables": {},
    }
    for variable in policy["variables"]:
        known["variables"][variable["name"]] = evaluate(variable["expression"], known)
    refused = []
    for validation in policy["validations"]:
        if not evaluate(validation["expression"], known):
            told = validation.get("messageExpression")
            refused.append(evaluate(told, known) if told else validation["message"])
    return refused


def evaluate(expression: str, known: dict[str, Any]) -> Any:
    environment = cel.NewEnv(variables=dict.fromkeys(known, cel.Type.DYN))
    return plain(environment.compile(expression).eval(data=known))


def plain(value: Any) -> Any:
    """A value of CEL as Python has it."""
    inner = value.value() if isinstance(value, cel.Value) else value
    if isinstance(inner, dict):
        return {plain(key): plain(item) for key, item in inner.items()}
    return [plain(item) for item in inner] if isinstance(inner, list | tuple) else inner


def job(environment: str, resource: str = "cpu") -> Manifest:
    """A trial Job as the driver of an environment makes it."""
    spec = load_cluster_spec(MANIFESTS / f"overlays/{environment}/cluster.yaml")
    image = spec.trials.image or spec.image
    assert image is not None
    return trial_job(
        "mk-1", study="s", pods=spec.trials, resource=resource, namespace=spec.trial_namespace, image=image,
        root=spec.stores.study_root, tasks=1, seconds=60, patience=600,
    )  # fmt: skip


@pytest.mark.parametrize("resource", ["cpu", "gpu"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_drivers_own_jobs_pass(environment: str, resource: str) -> None:
    assert verdict(environment, job(environment, resource)) == []


def pod(change: Callable[[Manifest], None]) -> Manifest:
    made = copy.deepcopy(job("prod"))
    change(made["spec"]["template"]["spec"])
    return made


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda pod: pod["containers"][0].update(image="evil.example/miner"), "not evil.example/miner"),
        (lambda pod: pod["containers"][0].pop("image"), "without image"),
        (
            lambda pod: pod["containers"].append({"name": "b", "image": "evil.example/b"}),
            "not evil.example/b",
        ),
        (
            lambda pod: pod.update(initContainers=[{"name": "i", "image": "evil.example/i"}]),
            "not evil.example/i",
        ),
        (lambda pod: pod.update(serviceAccountName="default"), "ServiceAccount minorkey-trial"),
        (lambda pod: pod.pop("serviceAccountName"), "ServiceAccount minorkey-trial"),
        (lambda pod: pod.update(automountServiceAccountToken=True), "automountServiceAccountToken"),
        (lambda pod: pod.pop("automountServiceAccountToken"), "automountServiceAccountToken"),
        (lambda pod: pod["volumes"].append({"name": "s", "secret": {"secretName": "x"}}), "volumes only"),
        (lambda pod: pod["volumes"].append({"name": "p", "projected": {"sources": []}}), "volumes only"),
    ],
)
def test_everything_else_is_refused_with_a_reason(change: Callable[[Manifest], None], word: str) -> None:
    (told,) = verdict("prod", pod(change))
    assert word in told


def test_a_job_without_volumes_passes() -> None:
    assert verdict("prod", pod(lambda spec: spec.pop("volumes"))) == []


def test_an_image_of_the_other_tag_is_another_image() -> None:
    """By the whole reference: a digest that is not permitted does not pass for its name."""
    image = job("dev")["spec"]["template"]["spec"]["containers"][0]["image"]
    other = copy.deepcopy(job("dev"))
    other["spec"]["template"]["spec"]["containers"][0]["image"] = image[:-1] + "1"
    assert len(verdict("dev", other)) == 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_policy_holds_for_the_trials_namespace_and_lets_nothing_in_by_default(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    policy = one(manifests, "ValidatingAdmissionPolicy", f"minorkey-{environment}-trials")["spec"]
    binding = one(manifests, "ValidatingAdmissionPolicyBinding", f"minorkey-{environment}-trials")["spec"]
    assert policy["failurePolicy"] == "Fail"
    (rule,) = policy["matchConstraints"]["resourceRules"]
    assert rule["operations"] == ["CREATE", "UPDATE"] and rule["resources"] == ["jobs"]
    assert binding["policyName"] == f"minorkey-{environment}-trials"
    assert binding["validationActions"] == ["Deny", "Audit"]
    assert binding["paramRef"] == {"name": "minorkey-trial-images", "parameterNotFoundAction": "Deny"}
    images = one(manifests, "ConfigMap", "minorkey-trial-images")["metadata"]["namespace"]
    assert binding["matchResources"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": images
    }
