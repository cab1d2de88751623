"""Whether what the ClusterSpec names is there: namespaces, accounts, Secrets, volumes, classes."""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from minorkey.cluster.findings import Finding, fine, problem, unseen, warning
from minorkey.cluster.reader import Reader, Refusal
from minorkey.cluster.spec import ClusterSpec

__all__ = ["check_objects"]


def check_objects(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """Look for everything that a run's pods refer to."""
    namespaces = dict.fromkeys((spec.namespace, spec.trial_namespace))
    missing = set()
    for name in namespaces:
        finding = _exists(
            reader, "namespace", name, f"/api/v1/namespaces/{name}", f"kubectl create namespace {name}"
        )
        missing |= {name} if finding.status == "problem" else set()
        yield finding
    if spec.namespace not in missing:
        for check in (_accounts, _secrets, _volumes):
            yield from check(reader, spec)
    if spec.trial_namespace not in missing:
        yield from _trial_objects(reader, spec)
    yield from _priority_classes(reader, spec)


def _exists(reader: Reader, kind: str, name: str, path: str, remedy: str) -> Finding:
    try:
        reader.get(path)
    except Refusal as refusal:
        if refusal.status == 404:
            return problem(kind, f"there is no {kind} {name}", remedy)
        return unseen(kind, f"{kind} {name}: {refusal}", f"ask as somebody who may get {kind}s")
    return fine(kind, name)


def _accounts(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    accounts = spec.service_accounts
    for name in dict.fromkeys((accounts.pipeline, accounts.tune, accounts.deploy)):
        yield _account(reader, spec.namespace, name)
    with_token = (accounts.tune,) if spec.serving.gitops else (accounts.tune, accounts.deploy)
    for name in dict.fromkeys(with_token):
        yield _token(reader, spec.namespace, name)


def _account(reader: Reader, namespace: str, name: str) -> Finding:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
    return _exists(
        reader, "serviceaccount", name, path, f"kubectl -n {namespace} create serviceaccount {name}"
    )


def _token(reader: Reader, namespace: str, account: str) -> Finding:
    """The Secret through which a step gets the account's token."""
    return _secret(
        reader,
        namespace,
        f"{account}-token",
        ("token", "ca.crt"),
        f"apply a Secret {account}-token of type kubernetes.io/service-account-token with the annotation "
        f"kubernetes.io/service-account.name: {account}",
    )


def _git_secret(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    """The Secret that opens the repository that models ship by, with one of its two kinds of keys."""
    wanted = spec.serving.gitops
    if wanted is None or not wanted.secret:
        return
    ssh = not wanted.repository.startswith(("https://", "http://"))
    keys = ("ssh-privatekey", "known_hosts") if ssh else ("password",)
    files = " ".join(f"--from-file={key}=FILE" for key in keys)
    remedy = f"kubectl -n {spec.namespace} create secret generic {wanted.secret} {files}"
    yield _secret(reader, spec.namespace, wanted.secret, keys, remedy)


def _secrets(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    stores = spec.stores
    wanted = {
        stores.database_secret: ("url",),
        stores.artifact_secret: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        stores.tracking_secret: ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"),
    }
    yield from _git_secret(reader, spec)
    for name, keys in wanted.items():
        if name:
            literals = " ".join(f"--from-literal={key}=..." for key in keys)
            remedy = f"kubectl -n {spec.namespace} create secret generic {name} {literals}"
            yield _secret(reader, spec.namespace, name, keys, remedy)


def _secret(reader: Reader, namespace: str, name: str, keys: Iterable[str], remedy: str) -> Finding:
    """Whether a Secret has its keys; their values are looked at no further than for being there."""
    try:
        found: dict[str, Any] = reader.get(f"/api/v1/namespaces/{namespace}/secrets/{name}").get("data") or {}
    except Refusal as refusal:
        if refusal.status == 404:
            return problem("secret", f"there is no secret {name} in namespace {namespace}", remedy)
        return unseen("secret", f"secret {name}: {refusal}", "ask as somebody who may get secrets")
    empty = [key for key in keys if not base64.b64decode(found.get(key, ""))]
    if empty:
        return problem("secret", f"secret {name} in namespace {namespace} lacks {', '.join(empty)}", remedy)
    return fine("secret", name)


def _volumes(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    for name in dict.fromkeys((spec.trials.study_volume, spec.stores.bundle_volume)):
        if name:
            yield _claim(reader, spec.namespace, name)


def _claim(reader: Reader, namespace: str, name: str) -> Finding:
    what = f"volume claim {name} in namespace {namespace}"
    try:
        claim = reader.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
    except Refusal as refusal:
        if refusal.status == 404:
            return problem("volume", f"there is no {what}", "create it with accessModes: [ReadWriteMany]")
        return unseen("volume", f"{what}: {refusal}", "ask as somebody who may get volume claims")
    modes = claim.get("spec", {}).get("accessModes", [])
    if "ReadWriteMany" not in modes:
        return warning(
            "volume",
            f"{what} is {', '.join(modes) or 'without access mode'}: pods on other nodes cannot mount it",
            "use a ReadWriteMany class, or s3:// for the study root",
        )
    return fine("volume", name)


def _trial_objects(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    namespace = spec.trial_namespace
    yield _account(reader, namespace, spec.trials.service_account)
    for name in spec.trials.secrets:
        remedy = f"kubectl -n {namespace} create secret generic {name} --from-literal=..."
        yield _secret(reader, namespace, name, (), remedy)
    if spec.trials.study_volume and namespace != spec.namespace:
        yield _claim(reader, namespace, spec.trials.study_volume)
    if spec.trials.queue:
        yield from _queue(reader, namespace, spec.trials.queue)


def _queue(reader: Reader, namespace: str, queue: str) -> Iterator[Finding]:
    name = "localqueues.kueue.x-k8s.io"
    try:
        definition = reader.definition(name)
    except Refusal as refusal:
        if refusal.status == 404:
            yield problem("crd", f"there is no {name}", "install Kueue, or leave trials.queue out")
        else:
            yield unseen("crd", f"{name}: {refusal}", "ask as somebody who may get customresourcedefinitions")
        return
    served = [version["name"] for version in definition["spec"]["versions"] if version.get("served")]
    path = f"/apis/kueue.x-k8s.io/{served[-1]}/namespaces/{namespace}/localqueues/{queue}"
    yield fine("crd", name)
    yield _exists(
        reader,
        "localqueue",
        queue,
        path,
        f"create LocalQueue {queue} in namespace {namespace}, or correct trials.queue",
    )


def _priority_classes(reader: Reader, spec: ClusterSpec) -> Iterator[Finding]:
    profiles = [profile for profile in (spec.trials.cpu, spec.trials.gpu) if profile is not None]
    for name in dict.fromkeys(profile.priority_class for profile in profiles):
        if name:
            path = f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}"
            yield _exists(reader, "priorityclass", name, path, "create it, or leave priority_class out")
