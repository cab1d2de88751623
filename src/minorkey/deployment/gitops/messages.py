"""What commits and merge requests say."""

from dataclasses import dataclass

from minorkey.deployment.gitops.owned import Shipped

__all__ = ["MergeRequest", "merge_request", "release_line", "revert_message", "ship_message", "title_of"]


@dataclass(frozen=True)
class MergeRequest:
    """A branch that asks to be merged.

    Attributes:
        branch: the branch.
        into: the branch that Argo CD follows.
        title: one line.
        body: Markdown.
    """

    branch: str
    into: str
    title: str
    body: str

    def options(self) -> tuple[str, ...]:
        """Push options by which GitLab opens it; an option is one line, with ``\\n`` where one ends."""
        body = self.body.replace("\n", "\\n")
        return (
            "merge_request.create",
            f"merge_request.target={self.into}",
            f"merge_request.title={self.title}",
            f"merge_request.description={body}",
        )


def title_of(model: str, version: str) -> str:
    """First line of the commit that ships a version."""
    return f"{model}: serve version {version}"


def ship_message(model: str, release: Shipped, expected: str, reason: str) -> str:
    """Message of the commit that ships a version."""
    instead = f"It takes the place of version {expected}." if expected else "It is the model's first version."
    return _joined(
        title_of(model, release.version), f"Why: {_plain(reason)}", instead, _trailers(model, release)
    )


def revert_message(model: str, left: Shipped, release: Shipped, commit: str, reason: str) -> str:
    """Message of the commit that brings an earlier version back.

    Args:
        model: the model's name.
        left: what is left.
        release: what comes back.
        commit: the commit that shipped the version that is left, "" if it is not known.
        reason: why.
    """
    what = f"This reverts commit {commit}." if commit else f"Back to version {release.version}."
    return _joined(
        f'Revert "{title_of(model, left.version)}"',
        what,
        f"Version {release.version} serves again. Why: {_plain(reason)}",
        _trailers(model, release),
    )


def release_line(model: str, release: Shipped) -> str:
    """The line by which a release is found among commits."""
    return f"Minorkey-Release: {model} {release.version} {release.digest}"


def merge_request(branch: str, into: str, message: str) -> MergeRequest:
    """The request to merge a branch whose one commit has this message."""
    title, _, body = message.partition("\n\n")
    text, _, trailers = body.rpartition("\n\n")
    after = (
        "After the merge Argo CD applies it; once it is healthy, a job verifies it and moves the alias "
        "`champion`."
    )
    return MergeRequest(branch, into, title, f"{text}\n\n```\n{trailers.strip()}\n```\n\n{after}\n")


def _trailers(model: str, release: Shipped) -> str:
    return f"{release_line(model, release)}\nMinorkey-Bundle: {release.bundle_uri}"


def _joined(title: str, *parts: str) -> str:
    return "\n\n".join((title, *parts)) + "\n"


def _plain(reason: str) -> str:
    """Reasons come from people and alerts: one paragraph, so that none looks like a trailer."""
    return " ".join(reason.split()) or "not given"
