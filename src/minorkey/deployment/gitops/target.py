"""Target ``gitops``: one commit to the file that a model owns; what changes the cluster is Argo CD."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from minorkey.deployment.gitops.change import Change, Patience, commit_change, looked_at
from minorkey.deployment.gitops.messages import merge_request, release_line, ship_message
from minorkey.deployment.gitops.owned import Shipped, path_of, shipped, with_release
from minorkey.deployment.gitops.problems import Unreached
from minorkey.deployment.gitops.repository import Branch, Pushed, Repository, Tip
from minorkey.deployment.target import Release
from minorkey.errors import StateError
from minorkey.registry import (
    Pending,
    clear_pending,
    digest_of_version,
    mark_pending,
    of_one_run,
    pending_of,
    reason_of_version,
    versions_of_digest,
)
from minorkey.tracking import champion_version

__all__ = ["GitOpsTarget", "HandedOver"]

_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class GitOpsTarget:
    """A Git repository that Argo CD follows.

    Attributes:
        repository: where it is, and who changes it.
        branch: the branch that Argo CD follows.
        folder: folder of a model, with ``{model}`` where its name goes.
        by_merge_request: push to a branch of its own and ask for a merge, in place of a commit to `branch`.
        first: the files of a model's folder, by name, for a model that has none. None: it has to be there.
        storage: the URI by which pods read a registered bundle.
        patience: how long to go on after conflicts and where the server does not answer.
    """

    repository: Repository
    branch: str = "main"
    folder: str = "models/{model}"
    by_merge_request: bool = False
    first: Callable[[Release], Mapping[str, str]] | None = None
    storage: Callable[[str], str] = str
    patience: Patience = field(default_factory=Patience)

    def deploy(self, release: Release) -> dict[str, Any]:
        """Commit bundle, digest and version, and tag the version as pending until Argo CD has made it serve.

        The version is tagged before the commit: what Argo CD applies at once is known to the registry.

        Returns:
            ``url`` and ``pid``, which it has none of, ``pending``, ``commit``, ``branch``, ``path`` and, for
            a merge request, its ``merge_request``.

        Raises:
            StateError: the file holds another version than the champion's, or the repository does not take
                the commit. Nothing was changed then.
        """
        model, version = release.model, release.version
        wanted = Shipped(self.storage(release.bundle_uri), release.bundle.digest, version)
        reason = release.reason or reason_of_version(model, version)
        first = self.first
        with self.handed_over(model, wanted, Pending(release.expected, "", reason=reason)) as done:
            pushed = done.pushed = self.ship(
                model,
                wanted,
                lambda branch: ship_message(model, wanted, release.expected, reason),
                allowed=lambda held: self._may_follow(release, held),
                first=None if first is None else lambda: first(release),
            )
        return self.told(model, pushed) | {"pending": done.waits}

    @contextmanager
    def handed_over(self, model: str, wanted: Shipped, pending: Pending) -> Iterator["HandedOver"]:
        """Tag a version as pending around its commit, which is put into what is given.

        A commit that was refused leaves the tag as it was. One that may have arrived leaves the new one, also
        where this process is told to end: where Git knows nothing of it, the tag moves no alias.
        """
        version, done = wanted.version, HandedOver()
        before = pending_of(model, version)
        pending = replace(pending, branch=self._branch_of(model, wanted))
        mark_pending(model, version, pending)
        try:
            yield done
        except Unreached:
            raise
        except Exception:
            if before is None:
                clear_pending(model, version)
            else:
                mark_pending(model, version, before)
            raise
        done.waits = champion_version(model) != version
        if done.waits and done.pushed is not None:
            pushed = done.pushed
            mark_pending(model, version, replace(pending, commit=pushed.commit, branch=pushed.branch))
        else:
            clear_pending(model, version)

    def ship(
        self,
        model: str,
        wanted: Shipped,
        message: Callable[[Branch], str],
        *,
        allowed: Callable[[Shipped], None],
        first: Callable[[], Mapping[str, str]] | None = None,
    ) -> Pushed:
        """Put bundle, digest and version into the model's file, by one commit.

        Args:
            model: the model's name.
            wanted: what is to serve.
            message: the commit's message.
            allowed: raises if what the file holds must not be replaced.
            first: the files of a model that has none yet, by name; None: that is an error.

        Returns:
            The commit; the one from before if the file holds all that already.

        Raises:
            StateError: `allowed` refused, the file does not fit, or the repository does not take the commit.
        """
        path = path_of(self.folder, model)

        def make(branch: Branch, tip: Tip) -> Change | Pushed:
            text = tip.read(path)
            held = None if text is None else shipped(text, path)
            if held == wanted:
                return Pushed(branch.commit_with(release_line(model, wanted)) or tip.commit, self.branch, "")
            words, own = message(branch), self._branch_of(model, wanted)
            if own != self.branch:
                since = ""
                if held is not None and held.digest:
                    since = branch.commit_with(release_line(model, held)) or branch.last_change(path)
                own, there = _asked_before(branch, own, path, wanted, since)
                if there:
                    return Pushed(there, own, words)
            if text is None or held is None:
                made, folder = _required(first, path)(), path.rpartition("/")[0]
                files = {f"{folder}/{name}": content for name, content in made.items()}
                # what somebody has prepared there stays
                files = {name: content for name, content in files.items() if tip.read(name) is None}
            else:
                allowed(held)
                files = {path: with_release(text, wanted, path)}
            if own == self.branch:
                return Change(files, words)
            return Change(files, words, own, merge_request(own, self.branch, words).options())

        return commit_change(self.repository, self.branch, make, self.patience)

    def read(self, model: str) -> Shipped | None:
        """What the repository says is to serve, None if the model has no file there.

        Raises:
            StateError: the repository is not reached, or the file does not fit.
        """
        path = path_of(self.folder, model)
        text = looked_at(self.repository, self.branch, lambda _, tip: tip.read(path), self.patience)
        return None if text is None else shipped(text, path)

    def survey(self) -> tuple[list[str], list[StateError]]:
        """Every model's file of the branch, and what is wrong with which.

        Raises:
            StateError: the repository is not reached, or would not take a push.
        """
        one = re.escape(path_of(self.folder, "{model}")).replace(re.escape("{model}"), "[^/]+")
        pattern = re.compile(one)
        problems: list[StateError] = []

        def look(branch: Branch, tip: Tip) -> list[str]:
            found = [path for path in tip.files() if pattern.fullmatch(path)]
            for path in found:
                try:
                    shipped(tip.read(path) or "", path)
                except StateError as error:
                    problems.append(error)
            branch.would_take(tip.commit)
            return found

        return looked_at(self.repository, self.branch, look, Patience(0)), problems

    def _branch_of(self, model: str, wanted: Shipped) -> str:
        """The branch that a commit goes to."""
        if not self.by_merge_request:
            return self.branch
        return f"minorkey/{model}-{wanted.version}-{wanted.digest[:8]}"

    def _may_follow(self, release: Release, held: Shipped) -> None:
        """Refuse to replace what the version was not compared with."""
        if not held.digest:
            return
        if release.expected and held.digest == digest_of_version(release.model, release.expected):
            return
        holders = versions_of_digest(release.model, held.digest)
        if any(of_one_run(release.model, holder, release.version) for holder in holders):
            return
        waiting = next((one for one in holders if pending_of(release.model, one) is not None), "")
        compared = f"version {release.expected}" if release.expected else "no version"
        raise StateError(
            f"version {waiting} is in Git and not champion yet, and the new model was not compared with it"
            if waiting
            else "Git serves another version than the champion, and the new model was not compared with it",
            key=path_of(self.folder, release.model),
            value=f"version {holders[0]}" if holders else f"digest {held.digest}",
            allowed=f"the bundle of {compared}, which is champion",
            remedy=f"wait until Argo CD has made it serve and run again, or take it back with "
            f"`minorkey rollback {release.model} --cluster FILE`",
        )

    def told(self, model: str, pushed: Pushed) -> dict[str, Any]:
        """What ``deployment.json`` tells of a commit."""
        told: dict[str, Any] = {"url": "", "pid": None, "repository": self.repository.address}
        told |= {"commit": pushed.commit, "branch": pushed.branch, "path": path_of(self.folder, model)}
        if pushed.branch != self.branch:
            urls = [url for line in pushed.told for url in _URL.findall(line)]
            asked = merge_request(pushed.branch, self.branch, pushed.message)
            told["merge_request"] = vars(asked) | {"url": urls[0] if urls else ""}
        return told


@dataclass
class HandedOver:
    """What came of handing a version over.

    Attributes:
        pushed: its commit.
        waits: whether the version still has to become champion.
    """

    pushed: Pushed | None = None
    waits: bool = True


def _asked_before(branch: Branch, name: str, path: str, wanted: Shipped, since: str) -> tuple[str, str]:
    """The branch of this merge request, and its commit if an earlier try has pushed it.

    A branch that lacks the commit that shipped what is held now asked for a merge before that: it has been
    merged or turned down, so that the version that comes back needs another branch.

    Args:
        branch: the branch that is to be merged into.
        name: what the request's branch is called if there is none yet.
        path: the model's file.
        wanted: what is to serve.
        since: the commit that shipped what is held now, "" if nothing is held.
    """
    heads, chosen, number = branch.heads(), name, 1
    while chosen in heads:
        request = branch.sibling(chosen)
        tip = request.fetch()
        text = tip.read(path)
        if text is None or shipped(text, path) != wanted:
            raise StateError(
                "the branch of this merge request is there and holds something else",
                key=chosen,
                value=f"commit {tip.commit}",
                allowed="no such branch, or one with this version",
                remedy="delete or rename the branch; it is never overwritten, because it may hold somebody's "
                "work",
            )
        if not since or request.follows(since):
            return chosen, tip.commit
        number += 1
        chosen = f"{name}-{number}"
    return chosen, ""


def _required(first: Callable[[], Mapping[str, str]] | None, path: str) -> Callable[[], Mapping[str, str]]:
    if first is None:
        raise StateError(
            "the model has no file in the repository",
            key=path,
            allowed="a file with the model's InferenceService or a patch for it",
            remedy="add it as docs/how-to/ship-by-git.md shows, or describe serving.gitops.predictor: then "
            "the first commit writes it",
        )
    return first
