"""What git says when a server does not do as asked: which of it passes, and what to do about the rest."""

import re
from enum import Enum
from urllib.parse import urlsplit

import httpx

from minorkey.errors import StateError

__all__ = ["Trouble", "Unreached", "explained", "told_by_server", "trouble"]


_SECONDS = 5.0


class Trouble(Enum):
    """Kinds of failure."""

    CONFLICT = "somebody else was faster"
    NETWORK = "the server does not answer"
    NO_OPTIONS = "the server takes no push options"
    PROTECTED = "the server declined"
    REFUSED = "not with these credentials"
    UNKNOWN_HOST = "another host key"
    MOVED = "elsewhere"
    GONE = "nowhere"
    NO_BRANCH = "no such branch"
    OTHER = "something else"


#: The first that matches counts: what names its cause stands before what git adds to any failure.
_PATTERNS: tuple[tuple[Trouble, str], ...] = (
    (
        Trouble.MOVED,
        r"unable to update url base from redirection|redirects? .* disabled|returned error: 30\d",
    ),
    (Trouble.NO_OPTIONS, r"does not support push options"),
    (Trouble.NO_BRANCH, r"couldn't find remote ref|no such ref was fetched"),
    (
        Trouble.CONFLICT,
        r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to (update|lock) ref|"
        r"incorrect old value|reference already exists|remote ref updated since|unable to create .*\.lock",
    ),
    (
        Trouble.PROTECTED,
        r"hook declined|push declined|not allowed to (push|force)|GH0\d\d|TF402455|"
        r"remote rejected",
    ),
    (
        Trouble.UNKNOWN_HOST,
        r"host key verification failed|remote host identification has changed|no .* host key is known|"
        r"certificate|ssl certificate",
    ),
    (
        Trouble.REFUSED,
        r"authentication failed|permission denied|could not read (username|password)|access denied|"
        r"returned error: 40[13]|invalid username or|service not enabled|unprotected private key|"
        r"error in libcrypto|invalid format|may not push|not authorized|access rights.*denied",
    ),
    (
        Trouble.GONE,
        r"repository .*not found|does not appear to be a git repository|returned error: 4(04|10)|"
        r"repository not exported|no such file or directory|project you were looking for could not be found|"
        r"not a git repository",
    ),
    (
        Trouble.NETWORK,
        r"could not resolve|couldn't connect|failed to connect|connection (refused|reset|timed out|closed)|"
        r"unable to connect|network is unreachable|no route to host|timed out|early eof|hung up unexpectedly|"
        r"unexpected disconnect|returned error: (429|5\d\d)|operation too slow|transfer closed|broken pipe|"
        r"empty reply|tls connection|gnutls|recv failure|send failure|rpc failed|"
        r"could not read from remote repository|temporary failure|the remote end hung up|unpack failed",
    ),
)


def trouble(told: str) -> Trouble:
    """What kind of failure git's words are."""
    return next(
        (kind for kind, pattern in _PATTERNS if re.search(pattern, told, re.IGNORECASE)), Trouble.OTHER
    )


def told_by_server(told: str) -> list[str]:
    """The lines that a server itself had to say."""
    lines = (line.removeprefix("remote:").strip() for line in told.splitlines() if line.startswith("remote:"))
    return [line for line in lines if line]


class Unreached(StateError):
    """The server did not answer for as long as it was asked; what was sent last may have arrived."""


def explained(kind: Trouble, told: str, address: str, branch: str) -> StateError:
    """The failure as an error that names the repository and what to do.

    Args:
        kind: what `trouble` made of it.
        told: what git printed.
        address: the repository.
        branch: the branch that was asked for or pushed to.
    """
    words = " ".join(told_by_server(told)) or _last(told)
    problem, allowed, remedy = {
        Trouble.CONFLICT: (
            f"branch {branch} changed before every try to add a commit to it",
            "a branch that rests for a moment",
            "run the step again; where many models share a branch, give serving.gitops a branch of its own",
        ),
        Trouble.NETWORK: (
            "the Git server does not answer; nothing was changed",
            "a server that is reached from here",
            "check network policies, proxy and the server, then run the step again",
        ),
        Trouble.PROTECTED: (
            f"the Git server declined a commit to branch {branch}",
            "a branch that these credentials may push to",
            "set serving.gitops.mode to merge-request, which pushes a branch of its own to be merged; or "
            "let these credentials push; where commits have to be signed, put signing-key into the Secret",
        ),
        Trouble.REFUSED: (
            "the Git server does not let these credentials in",
            "a token or key that may read and push",
            "renew password or ssh-privatekey in the Secret that serving.gitops.secret names",
        ),
        Trouble.UNKNOWN_HOST: (
            "the Git server does not prove that it is the one that is known",
            "a host key of known_hosts, or a certificate that ca.crt vouches for",
            "compare the server's key with its owner's, then renew known_hosts or ca.crt in the Secret",
        ),
        Trouble.MOVED: (
            f"the repository has moved{_moved_to(address)}",
            "its present address: redirects are not followed, because the token would go with them",
            "set serving.gitops.repository to the new address, in Argo CD too",
        ),
        Trouble.GONE: (
            "there is no repository at this address, or these credentials may not see it",
            "the address of a repository",
            "check serving.gitops.repository and what the token or key may see; it may have moved",
        ),
        Trouble.NO_BRANCH: (
            f"the repository has no branch {branch}",
            "a branch with at least one commit",
            "create it, or set serving.gitops.branch to the branch that Argo CD follows",
        ),
    }.get(kind, ("git failed", "", "see what git says, and run the step again"))
    shown = f"{address}: {words}" if words else address
    made = Unreached if kind is Trouble.NETWORK else StateError
    return made(problem, key="serving.gitops.repository", value=shown, allowed=allowed, remedy=remedy)


def _moved_to(address: str) -> str:
    """Where to: asked of the server without credentials, because git does not say it."""
    asked = "/info/refs?service=git-upload-pack"
    try:
        answer = httpx.get(f"{address}{asked}", timeout=_SECONDS, follow_redirects=False)
        place = urlsplit(answer.headers.get("location", ""))
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return ""
    new = f"{place.scheme}://{place.hostname}{f':{place.port}' if place.port else ''}{place.path}"
    return f" to {new.removesuffix('/info/refs')}" if place.hostname else ""


def _last(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    chosen = [line for line in lines if line.startswith(("fatal:", "error:", "!"))] or lines
    return " ".join(chosen[:2])
