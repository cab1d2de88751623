"""One commit to a branch that others change too: made anew upon each newer one until the server takes it."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from minorkey.deployment.gitops.problems import Trouble, explained
from minorkey.deployment.gitops.repository import Branch, Pushed, Repository, ServerFailed, Tip
from minorkey.progress import emit

__all__ = ["Change", "Patience", "commit_change", "looked_at"]

T = TypeVar("T")

_PASSING = (Trouble.CONFLICT, Trouble.NETWORK)


@dataclass(frozen=True)
class Change:
    """What a commit is to hold.

    Attributes:
        files: new text by path.
        message: the commit's message.
        branch: a new branch that it goes to instead, "" for the one that was read.
        options: push options, for servers that take them.
    """

    files: Mapping[str, str]
    message: str
    branch: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patience:
    """How long to go on trying.

    Attributes:
        seconds: after so long the last failure is raised.
        first: longest pause after the first failure; it doubles with each, up to `longest`. The pause itself
            is drawn evenly from nothing to that, so that those who lost together do not meet again.
        longest: longest pause of all, in seconds.
    """

    seconds: float = 300.0
    first: float = 0.5
    longest: float = 20.0

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        return random.uniform(0, min(self.longest, self.first * 2 ** min(failures, 16)))  # noqa: S311


def commit_change(
    repository: Repository,
    branch: str,
    make: Callable[[Branch, Tip], Change | Pushed],
    patience: Patience | None = None,
) -> Pushed:
    """Add one commit to a branch.

    Args:
        repository: where.
        branch: the branch that is read, and changed unless the change names another.
        make: gives the change upon the branch's newest commit; or what was pushed before, if it is all there
            already. It is asked anew after every commit by somebody else, and may refuse by raising.
        patience: how long to go on after conflicts and where the server does not answer.

    Raises:
        StateError: the server does not take it, with its reason; the branch is as it was. Or `make` refused.
    """
    patience = patience or Patience()

    def once(opened: Branch) -> Pushed:
        tip = opened.fetch()
        made = make(opened, tip)
        if isinstance(made, Pushed):
            return made
        commit = opened.commit(tip, made.files, made.message)
        try:
            pushed = opened.push(commit, to=made.branch, options=made.options)
        except ServerFailed as failure:
            if failure.kind is not Trouble.NO_OPTIONS:
                raise
            pushed = opened.push(commit, to=made.branch)
        return replace(pushed, message=made.message)

    with repository.branch(branch) as opened:
        return _patiently(opened, once, patience)


def looked_at(
    repository: Repository, branch: str, look: Callable[[Branch, Tip], T], patience: Patience | None = None
) -> T:
    """What somebody finds in the newest commit of a branch.

    Args:
        repository: where.
        branch: the branch.
        look: is given the branch and that commit.
        patience: how long to go on where the server does not answer.

    Raises:
        StateError: the server does not give it, with its reason.
    """
    with repository.branch(branch) as opened:
        return _patiently(opened, lambda one: look(one, one.fetch()), patience or Patience())


def _patiently(opened: Branch, once: Callable[[Branch], T], patience: Patience) -> T:
    end, failures = time.monotonic() + patience.seconds, 0
    while True:
        try:
            return once(opened)
        except ServerFailed as failure:
            pause = patience.pause(failures)
            if failure.kind not in _PASSING or time.monotonic() + pause > end:
                raise explained(failure.kind, failure.told, opened.address, opened.name) from None
            failures += 1
            if failure.kind is Trouble.NETWORK:
                emit("warned", text=f"the Git server does not answer; trying again in {pause:.0f} s")
            time.sleep(pause)
