"""Whether KServe is there as ``serving`` needs it, and whether the deploy step may use it."""

import json
from collections.abc import Generator, Iterator
from typing import Any

from minorkey.cluster.findings import Finding, fine, problem, unseen, warning
from minorkey.cluster.reader import Reader, Refusal
from minorkey.cluster.serving import KServeServing
from minorkey.cluster.spec import ClusterSpec

__all__ = ["check_kserve"]

_SERVICES, _ROUTES = "inferenceservices.serving.kserve.io", "httproutes.gateway.networking.k8s.io"
#: Where KServe's own settings are.
_SETTINGS = "/api/v1/namespaces/kserve/configmaps/inferenceservice-config"
_ASK = "ask as somebody who may get customresourcedefinitions and ConfigMap kserve/inferenceservice-config"


def check_kserve(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """Look at KServe, its gateway, the serving namespace and the rights of the deploy step.

    Where models ship by Git, Argo CD applies their InferenceServices: KServe has to be there for them, too.
    """
    if spec.serving.gitops is not None:
        yield from _definition(reader)
        if spec.serving.gitops.predictor is not None:
            yield from _namespace(reader, spec, spec.serving.gitops.predictor)
        return
    serving = spec.serving.kserve
    if serving is None:
        return
    present = yield from _definition(reader)
    if present:
        yield from _settings(reader, serving)
    yield from _namespace(reader, spec, serving)
    yield from _rights(reader, spec)
    if "@sha256:" not in serving.image:
        yield warning(
            "kserve",
            f"serving.kserve.image {serving.image} is a tag: what serves changes when it is pushed anew",
            "name the image by digest",
        )


def _definition(reader: Reader) -> Generator[Finding, None, bool]:
    """Gives whether the rest is worth looking at."""
    try:
        found = reader.definition(_SERVICES)
    except Refusal as refusal:
        if refusal.status == 404:
            yield problem(
                "crd",
                f"there is no {_SERVICES}: KServe is not installed",
                "install KServe 0.20 or later (Standard mode is enough), or leave serving out",
            )
            return False
        yield unseen("crd", f"{_SERVICES}: {refusal}", _ASK)
        return True
    versions = {one["name"]: one for one in found["spec"]["versions"] if one.get("served")}
    fields = _fields(versions.get("v1beta1") or {})
    if "v1beta1" not in versions or (fields and "canary" not in fields):
        yield problem(
            "crd",
            f"{_SERVICES} has no spec.canary in v1beta1: KServe is older than 0.20",
            "upgrade KServe, its custom resource definitions too",
        )
    else:
        yield fine("crd", _SERVICES)
    return True


def _fields(version: dict[str, Any]) -> dict[str, Any]:
    schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    found: dict[str, Any] = ((schema.get("properties") or {}).get("spec") or {}).get("properties") or {}
    return found


def _settings(reader: Reader, serving: KServeServing) -> Iterator[Finding]:
    try:
        data = reader.get(_SETTINGS).get("data") or {}
    except Refusal as refusal:
        yield unseen("kserve", f"ConfigMap kserve/inferenceservice-config: {refusal}", _ASK)
        return
    mode = str(_json(data.get("deploy", "")).get("defaultDeploymentMode", "Knative"))
    # Ours name their mode themselves.
    yield fine("kserve", f"deployment mode Standard is asked for; the default here is {mode}")
    ingress = _json(data.get("ingress", ""))
    if not ingress.get("enableGatewayApi"):
        if serving.gateway:
            yield problem(
                "kserve",
                "serving.kserve.gateway is true, but KServe does not use the Gateway API: enableGatewayApi "
                "is not set in ConfigMap kserve/inferenceservice-config",
                "set it and kserveIngressGateway there, or serving.kserve.gateway to false",
            )
        return
    if not serving.gateway:
        yield warning(
            "kserve",
            "KServe uses the Gateway API, and serving.kserve.gateway is false: new versions get no share of "
            "the requests first",
            "set serving.kserve.gateway to true",
        )
        return
    yield from _gateway(reader, str(ingress.get("kserveIngressGateway", "")))


def _gateway(reader: Reader, named: str) -> Iterator[Finding]:
    namespace, _, name = named.partition("/")
    path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways/{name}"
    try:
        reader.definition(_ROUTES)
        reader.get(path)
    except Refusal as refusal:
        if refusal.status == 404:
            yield problem(
                "gateway",
                f"there is no Gateway {named or '(none is named)'}, which KServe's routes refer to",
                "install the Gateway API and create it, or correct kserveIngressGateway in ConfigMap "
                "kserve/inferenceservice-config",
            )
        else:
            yield unseen("gateway", f"Gateway {named}: {refusal}", "ask as somebody who may get gateways")
        return
    yield fine("gateway", named)


def _namespace(reader: Reader, spec: ClusterSpec, serving: KServeServing) -> Iterator[Finding]:
    namespace, account = spec.serving_namespace, serving.service_account
    try:
        found = reader.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
    except Refusal as refusal:
        if refusal.status == 404:
            yield problem(
                "serviceaccount",
                f"there is no serviceaccount {account} in namespace {namespace}: predictors are not created",
                f"kubectl -n {namespace} create serviceaccount {account}; name the bundle's Secret in it",
            )
        else:
            yield unseen(
                "serviceaccount", f"serviceaccount {account}: {refusal}", "ask as somebody who may get them"
            )
        return
    needs_key = spec.stores.bundle_root.startswith("s3://") and spec.stores.artifact_secret
    if needs_key and not found.get("secrets") and not (found["metadata"].get("annotations") or {}):
        yield warning(
            "serviceaccount",
            f"serviceaccount {account} in namespace {namespace} names no Secret and no cloud identity: the "
            "storage initializer may be refused",
            "name a Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the annotation "
            "serving.kserve.io/s3-endpoint in its `secrets`",
        )
    else:
        yield fine("serviceaccount", account)
    volume = spec.stores.bundle_volume
    if volume and namespace != spec.namespace:
        try:
            reader.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{volume}")
        except Refusal as refusal:
            if refusal.status == 404:
                yield problem(
                    "volume",
                    f"there is no volume claim {volume} in namespace {namespace}, where predictors are",
                    f"create a claim {volume} there on the same volume, or keep bundles in a bucket",
                )


def _rights(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    from minorkey.deployment.kserve.api import RIGHTS

    account, namespace = spec.service_accounts.deploy, spec.serving_namespace
    for group, resource, verbs in RIGHTS:
        if resource == "httproutes" and not (spec.serving.kserve and spec.serving.kserve.gateway):
            continue
        qualified = f"{resource}.{group}" if group else resource
        try:
            missing = [
                verb
                for verb in verbs
                if not reader.allowed_to(account, spec.namespace, namespace, verb, resource, group)
            ]
        except Refusal as refusal:
            yield unseen(
                "permissions",
                f"what serviceaccount {account} may do: {refusal}",
                "ask as somebody who may create subjectaccessreviews",
            )
            return
        if missing:
            yield problem(
                "permissions",
                f"serviceaccount {account} may not {', '.join(missing)} {qualified} in namespace {namespace}",
                "bind a Role with these verbs there to it (manifests/components/kserve)",
            )
        else:
            yield fine(
                "permissions", f"{account} may {', '.join(verbs)} {qualified} in namespace {namespace}"
            )


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
