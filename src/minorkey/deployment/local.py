"""Target ``local``: a predictor process on this machine."""

from dataclasses import dataclass
from typing import Any

from minorkey.deployment.target import Release
from minorkey.serving.promotion import serve_and_promote

__all__ = ["LocalTarget"]


@dataclass(frozen=True)
class LocalTarget:
    """A predictor process here, swapped without a failed request.

    Attributes:
        host: address to bind.
        port: port to bind; 0: the running predictor's, or any free one.
    """

    host: str = "127.0.0.1"
    port: int = 0

    def deploy(self, release: Release) -> dict[str, Any]:
        """Start or swap the model's predictor; see `serve_and_promote`."""
        return serve_and_promote(
            release.model,
            release.version,
            release.bundle,
            expected=release.expected,
            host=self.host,
            port=self.port,
        )
