"""Questions to Prometheus."""

from typing import Any

import httpx

__all__ = ["Prometheus"]


class Prometheus:
    """A Prometheus server.

    Args:
        url: its address.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=5.0, trust_env=False)

    def value(self, expression: str) -> float | None:
        """The value of an expression with one series, None where there is none or it is no number."""
        found = self._get("/api/v1/query", query=expression)["result"]
        if not found:
            return None
        value = float(found[0]["value"][1])
        return value if value == value else None

    def firing(self) -> list[dict[str, str]]:
        """The labels of every alert that fires."""
        return [one["labels"] for one in self._get("/api/v1/alerts")["alerts"] if one["state"] == "firing"]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _get(self, path: str, **parameters: str) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()["data"]
