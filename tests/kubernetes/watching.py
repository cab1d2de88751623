"""Reads a watch line by line, as it comes over the wire."""

import json
from collections.abc import Iterator
from typing import Any

from tests.kubernetes.site import Site

__all__ = ["events", "until"]


def events(site: Site, plural: str, *, seconds: int = 20, **query: Any) -> Iterator[dict]:
    """Events of pods or jobs of a site's namespace, until the watch ends.

    Args:
        seconds: after which the server ends it.
        query: such as ``resourceVersion`` or ``labelSelector``.
    """
    base = "/api/v1" if plural == "pods" else "/apis/batch/v1"
    query = {"watch": "true", "timeoutSeconds": seconds, **query}
    response = site.api.call_api(
        f"{base}/namespaces/{site.namespace}/{plural}",
        "GET",
        query_params=list(query.items()),
        auth_settings=["BearerToken"],
        _preload_content=False,
        _return_http_data_only=True,
    )
    try:
        rest = b""
        for part in response.stream(amt=None, decode_content=False):
            *lines, rest = (rest + part).split(b"\n")
            yield from (json.loads(line) for line in lines if line)
    finally:
        response.close()
        response.release_conn()


def until(found: Iterator[dict], kind: str, name: str) -> list[dict]:
    """Events up to the first of a type about an object, that one included."""
    seen = []
    for event in found:
        seen.append(event)
        if event["type"] == kind and event["object"]["metadata"]["name"] == name:
            return seen
    raise AssertionError(f"the watch ended without {kind} of {name}")
