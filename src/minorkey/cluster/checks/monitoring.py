"""Whether the cluster knows the objects by which it would watch models: those of the Prometheus operator."""

from collections.abc import Iterator

from minorkey.cluster.findings import Finding, fine, unseen, warning
from minorkey.cluster.reader import Reader, Refusal

__all__ = ["check_monitoring"]

#: What `monitoring/kubernetes` and `manifests/base/services` hold.
_DEFINITIONS = tuple(
    f"{plural}.monitoring.coreos.com" for plural in ("alertmanagerconfigs", "podmonitors", "prometheusrules")
)


def check_monitoring(reader: Reader) -> Iterator[Finding]:
    """Look for the definitions of the Prometheus operator; runs work without, but nobody watches models."""
    missing = []
    for name in _DEFINITIONS:
        try:
            reader.definition(name)
        except Refusal as refusal:
            if refusal.status != 404:
                yield unseen(
                    "crd", f"{name}: {refusal}", "ask as somebody who may get customresourcedefinitions"
                )
                return
            missing.append(name)
    if missing:
        yield warning(
            "crd",
            f"there is no {', '.join(missing)}: rules, alerts and scraping cannot be applied from manifests/",
            "install the Prometheus operator (0.80 or later), or leave ../../../monitoring and "
            "pod-monitors.yaml out of manifests/base/services and watch with monitoring/prometheus instead",
        )
    else:
        yield fine("crd", ", ".join(_DEFINITIONS))
