"""What every deploy target does."""

from dataclasses import dataclass
from typing import Any, Protocol

from minorkey.bundle.bundle import Bundle

__all__ = ["DeployTarget", "Release"]


@dataclass(frozen=True)
class Release:
    """A version that is to serve.

    Attributes:
        model: name of the registered model.
        version: the version to serve.
        bundle: its bundle, loaded and verified.
        bundle_uri: where that bundle lies, by digest.
        expected: version of the present champion, "" for none; a newer champion is never overwritten.
        reason: why the version was promoted.
        proven: whether it has served before, so that it need not show anything: a rollback.
    """

    model: str
    version: str
    bundle: Bundle
    bundle_uri: str
    expected: str
    reason: str = ""
    proven: bool = False


class DeployTarget(Protocol):
    """A place where models serve."""

    def deploy(self, release: Release) -> dict[str, Any]:
        """Make the version serve, verify it, and only then move the alias ``champion``.

        Returns:
            What ``deployment.json`` tells of it: at least ``url`` and ``pid``, "" and None where it has none.

        Raises:
            StateError: the champion is another one by now, or the place does not take the version.
            ContractError: what serves answers otherwise than the bundle. After any failure what served
                before serves again.
        """
        ...
