"""Readiness probes over HTTP."""

import http.client

__all__ = ["PROBE_SECONDS", "answers_probe", "probe_of"]

#: Seconds between two probes of a container that is not ready, whatever its periodSeconds.
PROBE_SECONDS = 0.05


def probe_of(pod: dict) -> dict | None:
    """The probe of a pod's container, None if it has none over HTTP."""
    return (pod["spec"]["containers"][0].get("readinessProbe") or {}).get("httpGet")


def answers_probe(address: str, probe: dict) -> bool:
    """Whether what listens at an address answers as a ready container."""
    connection = http.client.HTTPConnection(address, int(probe["port"]), timeout=0.5)
    try:
        connection.request("GET", probe.get("path", "/"))
        return 200 <= connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
