"""What starts runs and knows how they end."""

from dataclasses import dataclass
from typing import Literal, Protocol

from minorkey.retune.stages import Outcome

__all__ = ["Launch", "Launcher", "Seen"]


@dataclass(frozen=True)
class Launch:
    """A run that is wanted.

    Attributes:
        key: names the launch; the same key never makes two runs.
        model: name in the registry.
        kind: of the alerts that led to it.
        reason: why.
        base_version: the champion when it was decided, "" if there was none.
    """

    key: str
    model: str
    kind: str
    reason: str
    base_version: str


@dataclass(frozen=True)
class Seen:
    """A run, as it was found.

    Attributes:
        state: ``running``; ``succeeded``; ``failed``; ``cancelled``; ``busy``: another run held the
            model's lease, so that a launch of another key has to be tried; ``lost``: it ended without
            a word, and launching it again goes on where it stopped; ``next``: it is one stage of a retune
            and another has to follow, which launching the same key makes.
        detail: what there is to say.
        outcome: of a run that succeeded and tells: ``promoted``, ``kept`` or ``adjusted``.
    """

    state: Literal["running", "succeeded", "failed", "cancelled", "busy", "lost", "next"]
    detail: str = ""
    outcome: Literal[Outcome, ""] = ""


class Launcher(Protocol):
    """Makes runs."""

    def launch(self, launch: Launch) -> str:
        """Make the run, or find the one that this key has made already; its id.

        Of a retune in stages: the run of the stage that it is at.

        Raises:
            StateError: whoever runs it does not answer; the launch may be tried again.
            SpecError: the run cannot be made as it is wanted.
        """
        ...

    def look(self, run_id: str) -> Seen:
        """How a run is.

        Raises:
            StateError: whoever runs it does not answer.
        """
        ...

    def cancel(self, launch: Launch, run_id: str, why: str) -> None:
        """End the run that this key has made, if there is one and it goes on; no other will be made of it.

        It may be called again, and returns before the run has ended: `look` tells when.

        Args:
            launch: what was wanted.
            run_id: what `launch` answered last, "" if it never did.
            why: who calls it off, and why.

        Raises:
            StateError: whoever runs it does not answer, or the run is out of reach from here.
        """
        ...

    def forget(self, key: str) -> None:
        """Remove what the run of this key has left here; nothing asks for it any more.

        Raises:
            StateError: it cannot be removed.
        """
        ...
