"""What the suite would do, in words: the answer to ``DRY_RUN=1``."""

import inspect
from collections.abc import Iterator, Sequence

import pytest
from kubernetes import config

from tests.cluster.parameters import OPTIONS

__all__ = ["plan"]


def plan(items: Sequence[pytest.Item], given: dict[str, str]) -> list[str]:
    """Lines: the cluster, the parameters and every test. Asks the cluster nothing."""
    lines = [f"cluster: {_cluster(given['kube-context'])}", "parameters:"]
    lines += [f"  {name} = {given[name] or '(none)'}: {meaning}" for name, (_, meaning) in OPTIONS.items()]
    lines += [
        "creates and deletes: namespaces minorkey-test-*, persistent volumes minorkey-test-* of NODE_FOLDER",
        f"tests ({len(items)}):",
    ]
    return lines + list(_tests(items))


def _cluster(context: str) -> str:
    try:
        contexts, current = config.list_kube_config_contexts()
    except config.ConfigException:
        return "no kubeconfig was found; set KUBECONFIG"
    chosen = next((one for one in contexts if one["name"] == context), None) if context else current
    return f"context {chosen['name']}" if chosen else f"the kubeconfig has no context {context}"


def _tests(items: Sequence[pytest.Item]) -> Iterator[str]:
    module = ""
    for item in items:
        file = item.nodeid.partition("::")[0]
        if file != module:
            module = file
            yield f"  {file}"
        said = inspect.getdoc(getattr(item, "obj", None)) if isinstance(item, pytest.Function) else None
        name = item.name.removeprefix("test_").replace("_", " ")
        yield f"    {name}" + (f": {said.splitlines()[0]}" if said else "")
