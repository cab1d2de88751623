"""Every object of every overlay fits the schema of its kind, and the look at it finds faults."""

import pytest

from tests.manifests.built import OVERLAYS, build, one
from tests.manifests.schemas import UNCOVERED, complaints


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_its_kind(overlay: str) -> None:
    found = {
        f"{manifest['kind']} {manifest['metadata']['name']}": wrong
        for manifest in build(overlay)
        if (wrong := complaints(manifest))
    }
    assert found == {}


def test_what_is_not_looked_at_is_needed() -> None:
    used = {(one["apiVersion"], one["kind"]) for overlay in OVERLAYS for one in build(overlay)}
    assert used >= UNCOVERED


@pytest.mark.parametrize(
    ("kind", "name", "path", "value"),
    [
        (
            "Deployment",
            "minorkey-trigger",
            ("spec", "template", "spec", "containers", 0, "imagePullpolicy"),
            "Always",
        ),
        ("NetworkPolicy", "minorkey-feedback", ("spec", "ingress", 0, "ports", 0, "protokol"), "TCP"),
        ("ValidatingAdmissionPolicy", "minorkey-trials", ("spec", "failurePolicy"), 1),
        ("CronJob", "minorkey-sweeper", ("spec", "concurrencyPolicy"), 1),
        ("PodMonitor", "minorkey-trigger", ("spec", "podMetricsEndpoints", 0, "portt"), "http"),
        ("PrometheusRule", "minorkey-alerts", ("spec", "groups", 0, "rules", 0, "for"), "soon"),
        ("AlertmanagerConfig", "minorkey", ("spec", "receivers", 0, "webhook_configs"), []),
        ("AlertmanagerConfig", "minorkey", ("spec", "inhibitRules", 0, "sourceMatch", 0, "matchType"), "=="),
    ],
)
def test_a_fault_is_found(kind: str, name: str, path: tuple[str | int, ...], value: object) -> None:
    manifest = one(build("base"), kind, name)
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert complaints(manifest)
