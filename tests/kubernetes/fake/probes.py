"""Readiness probes over HTTP.

Source: https://kubernetes.io/docs/concepts/workloads/pods/probes (defaults of `core/v1` `Probe`).
"""

import http.client

__all__ = ["PROBE_SECONDS", "answers_probe", "failures_allowed", "probe_of"]

#: Seconds between two probes of a container that is not ready, whatever its periodSeconds.
PROBE_SECONDS = 0.05


def probe_of(pod: dict) -> dict | None:
    """The readiness probe of a pod's container, None if it has none over HTTP."""
    probe = pod["spec"]["containers"][0].get("readinessProbe") or {}
    return probe if "httpGet" in probe else None


def failures_allowed(probe: dict) -> int:
    """Failures in a row that a ready container is forgiven."""
    return int(probe.get("failureThreshold", 3)) - 1


def answers_probe(address: str, probe: dict) -> bool:
    """Whether what listens at an address answers as a ready container."""
    asked = probe["httpGet"]
    # At most a second: the fake's controllers wait meanwhile.
    seconds = min(1, probe.get("timeoutSeconds", 1))
    connection = http.client.HTTPConnection(address, int(asked["port"]), timeout=seconds)
    try:
        connection.request("GET", asked.get("path", "/"))
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
