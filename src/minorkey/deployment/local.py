"""Target ``local``: a predictor process on this machine."""

from dataclasses import dataclass, field
from typing import Any

from minorkey.deployment.target import Release
from minorkey.progress import emit
from minorkey.serving import local
from minorkey.serving.local_shadow import prove_in_shadow
from minorkey.serving.promotion import serve_and_promote
from minorkey.serving.shadow_pointer import follow_challenger
from minorkey.spec import ShadowSpec

__all__ = ["LocalTarget"]


@dataclass(frozen=True)
class LocalTarget:
    """A predictor process here, swapped without a failed request.

    Attributes:
        host: address to bind.
        port: port to bind; 0: the running predictor's, or any free one.
        shadow: what scores beside the champion.
    """

    host: str = "127.0.0.1"
    port: int = 0
    shadow: ShadowSpec = field(default_factory=ShadowSpec)

    def deploy(self, release: Release) -> dict[str, Any]:
        """Start or swap the model's predictor, after a time in shadow if one is asked for.

        See `serve_and_promote` and `prove_in_shadow`.
        """
        proven = self._prove(release)
        done = serve_and_promote(
            release.model,
            release.version,
            release.bundle,
            expected=release.expected,
            host=self.host,
            port=self.port,
        )
        if self.shadow.follow:
            follow_challenger(release.model)
        return done | ({"shadow": proven} if proven else {})

    def _prove(self, release: Release) -> dict[str, int]:
        if not self.shadow.rows or release.proven:
            return {}
        serving = local.current_target(release.model)
        if local.status(release.model) is None or serving is None:
            emit("warned", text="nothing serves yet, so the version serves without a time in shadow")
            return {}
        if serving.version == release.version:
            return {}
        return prove_in_shadow(
            release.model,
            release.version,
            release.bundle_uri,
            rows=self.shadow.rows,
            seconds=60 * self.shadow.minutes,
        )
