"""Versions of Kubernetes and Kubeflow Pipelines, and the definitions that they bring."""

import re
from collections.abc import Iterator

import httpx

from minorkey.cluster.findings import Finding, fine, problem, unseen, warning
from minorkey.cluster.reader import Reader, Refusal

__all__ = ["check_kubeflow", "check_kubernetes"]

_KUBERNETES = (1, 32)
_KUBEFLOW = (2, 14)
_WORKFLOWS = "workflows.argoproj.io"
_SECONDS = 10.0
_LOGIN = (301, 302, 303, 307, 401, 403)


def check_kubernetes(reader: Reader) -> Iterator[Finding]:
    """Look at the API server's version, and whether the engine of Kubeflow Pipelines is installed."""
    told = reader.get("/version")
    version = _numbers(f"{told.get('major', '')}.{told.get('minor', '')}")
    text = str(told.get("gitVersion", "")) or "unknown version"
    if version is None or version < _KUBERNETES:
        yield problem("kubernetes", f"{text}; 1.32 or later is needed", "upgrade the cluster")
    else:
        yield fine("kubernetes", text)
    try:
        reader.definition(_WORKFLOWS)
    except Refusal as refusal:
        if refusal.status == 404:
            yield warning(
                "crd",
                f"there is no {_WORKFLOWS}: Kubeflow Pipelines is not installed in this cluster",
                "install Kubeflow Pipelines 2.14 or later; trials alone run without it",
            )
        else:
            yield unseen(
                "crd", f"{_WORKFLOWS}: {refusal}", "ask as somebody who may get customresourcedefinitions"
            )
    else:
        yield fine("crd", _WORKFLOWS)


def check_kubeflow(host: str, compiled_for: tuple[int, int] = _KUBEFLOW) -> Iterator[Finding]:
    """Look at the version that a Kubeflow Pipelines API says it has.

    Args:
        host: its URL.
        compiled_for: the version that the ClusterSpec names.
    """
    remedy = "check --host; from outside: kubectl -n kubeflow port-forward svc/ml-pipeline 8888"
    try:
        answer = httpx.get(f"{host.rstrip('/')}/apis/v1beta1/healthz", timeout=_SECONDS)
        told = str(answer.json().get("tag_name", "")) if answer.status_code == 200 else ""
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        yield problem("kubeflow", f"{host} is not reached: {type(error).__name__}: {error}", remedy)
        return
    if answer.status_code in _LOGIN:
        yield unseen("kubeflow", f"{host} asks for a login", "look at the image of deployment ml-pipeline")
        return
    if answer.status_code != 200:
        yield problem("kubeflow", f"{host} answers {answer.status_code}", remedy)
        return
    version = _numbers(told)
    if version is None:
        yield unseen(
            "kubeflow", f"{host} does not tell its version", "look at the image of deployment ml-pipeline"
        )
    elif version < _KUBEFLOW:
        yield problem("kubeflow", f"{told}; 2.14 or later is needed", "upgrade Kubeflow Pipelines")
    elif version < compiled_for:
        yield problem(
            "kubeflow",
            f"{told}, but kubeflow is {'.'.join(map(str, compiled_for))} in the cluster specification: its "
            "driver would refuse fields that it does not know",
            f'set kubeflow: "{version[0]}.{version[1]}" and compile anew',
        )
    else:
        yield fine("kubeflow", told)


def _numbers(text: str) -> tuple[int, int] | None:
    match = re.search(r"([0-9]+)\.([0-9]+)", text)
    return None if match is None else (int(match[1]), int(match[2]))
