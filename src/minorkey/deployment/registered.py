"""Target ``none``: the alias moves, and whoever follows it serves."""

from typing import Any

from minorkey.deployment.target import Release
from minorkey.registry import move_champion

__all__ = ["RegisteredTarget"]


class RegisteredTarget:
    """Nothing is started here; predictors that follow ``champion`` swap themselves."""

    def deploy(self, release: Release) -> dict[str, Any]:
        """Move the alias.

        Raises:
            StateError: the champion is another one by now, or the tracking server does not answer.
        """
        move_champion(release.model, release.version, expected=release.expected)
        return {"url": "", "pid": None}
