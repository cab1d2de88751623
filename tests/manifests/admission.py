"""What admission policies make of an object, evaluated by Google's own CEL."""

from typing import Any

from cel_expr_python import cel

from tests.manifests.built import Manifest, one

__all__ = ["refusals"]


def refusals(manifests: list[Manifest], name: str, made: Manifest, *, user: str = "") -> list[str]:
    """Messages of the validations that an object does not pass, as the API server would put them together.

    Args:
        manifests: with the policy, its binding and the ConfigMap that it looks things up in.
        name: of policy and binding.
        made: the object.
        user: who makes it.
    """
    policy = one(manifests, "ValidatingAdmissionPolicy", name)["spec"]
    binding = one(manifests, "ValidatingAdmissionPolicyBinding", name)["spec"]
    assert policy["paramKind"] == {"apiVersion": "v1", "kind": "ConfigMap"}
    known: dict[str, Any] = {
        "object": made,
        "request": {"userInfo": {"username": user}},
        "params": one(manifests, "ConfigMap", binding["paramRef"]["name"]),
        "variables": {},
    }
    if not all(evaluate(one["expression"], known) for one in policy.get("matchConditions", ())):
        return []
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
