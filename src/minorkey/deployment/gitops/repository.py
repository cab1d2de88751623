"""A branch of a Git repository, changed by one commit at a time without a checkout.

A change is made upon the branch's newest commit, in an empty repository that holds nothing else, and pushed:
the server takes it only if the branch still is where it was. Nothing of it is left anywhere if it is not.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from minorkey.cluster.git_address import checked_address
from minorkey.deployment.gitops.access import Author, GitAccess
from minorkey.deployment.gitops.command import Done, Git
from minorkey.deployment.gitops.problems import Trouble, told_by_server, trouble
from minorkey.errors import StateError

__all__ = ["Branch", "Pushed", "Repository", "ServerFailed", "Tip"]

_TIP = "refs/minorkey/tip"


class ServerFailed(Exception):
    """The server did not do as asked.

    Attributes:
        kind: what kind of failure.
        told: what git said.
    """

    def __init__(self, kind: Trouble, told: str) -> None:
        super().__init__(told)
        self.kind = kind
        self.told = told


@dataclass(frozen=True)
class Pushed:
    """A commit that the server has taken.

    Attributes:
        commit: its id.
        branch: the branch it is on.
        message: the commit's message, "" where it was not asked for.
        told: what the server said by the way, such as where to ask for a merge.
    """

    commit: str
    branch: str
    message: str = ""
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repository:
    """Where a repository is, and who changes it.

    Attributes:
        address: ``https://...``, ``ssh://...`` or ``git@host:path``, without credentials.
        access: credentials.
        author: who commits are by.
        seconds: how long one exchange with the server may take.
    """

    address: str
    access: GitAccess = field(default_factory=GitAccess)
    author: Author = field(default_factory=Author)
    seconds: float = 120.0

    @contextmanager
    def branch(self, name: str) -> Iterator["Branch"]:
        """A branch to change.

        Raises:
            SpecError: the address is none, or carries credentials.
            StateError: credentials are missing, or there is no git.
        """
        address = checked_address(self.address)
        with tempfile.TemporaryDirectory(prefix="minorkey-git-", ignore_cleanup_errors=True) as folder:
            home = Path(folder)
            environment = self.access.environment(address, home, self.author)
            git = Git(home / "repository", environment, self.seconds)
            git.local("init", "--quiet", "--bare", str(git.folder))
            yield Branch(git, address, name, signs=self.access.signs)


@dataclass(frozen=True)
class Tip:
    """The newest commit of a branch.

    Attributes:
        commit: its id.
    """

    commit: str
    git: Git

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none.

        Raises:
            StateError: what lies there is no file of UTF-8 text.
        """
        kind, content = self._entry(path)
        if kind is None:
            return None
        try:
            if not kind.startswith("100"):
                raise ValueError
            return self.git.local("cat-file", "blob", content).decode("utf-8")
        except ValueError:
            raise StateError(
                "what lies at a model's path in the repository is no text file",
                key=path,
                value={"120000": "a link", "160000": "a submodule", "040000": "a folder"}.get(kind, "binary"),
                allowed="a YAML file",
                remedy="put the model's InferenceService there, or change serving.gitops.folder",
            ) from None

    def files(self) -> list[str]:
        """Paths of all files."""
        listed = self.git.local("ls-tree", "-r", "-z", "--name-only", self.commit)
        return [name.decode("utf-8", "surrogateescape") for name in listed.split(b"\0") if name]

    def mode(self, path: str) -> str:
        """The file's mode, that of a plain file if there is none yet."""
        return self._entry(path)[0] or "100644"

    def _entry(self, path: str) -> tuple[str | None, str]:
        listed = self.git.local("ls-tree", "-z", self.commit, "--", path).decode("utf-8", "surrogateescape")
        if not listed:
            return None, ""
        mode, _, identity = listed.partition("\t")[0].split(" ")
        return mode, identity


class Branch:
    """One branch, as `Repository.branch` gives it.

    Attributes:
        address: the repository's address.
        name: the branch.
    """

    def __init__(self, git: Git, address: str, name: str, *, signs: bool) -> None:
        self.address, self.name = address, name
        self._git, self._signs = git, signs

    def fetch(self) -> Tip:
        """The newest commit, without what came before it.

        Raises:
            ServerFailed: the server does not give it.
        """
        wanted = f"+refs/heads/{self.name}:{_TIP}"
        self._remote("fetch", "--quiet", "--depth=1", "--no-tags", self.address, wanted)
        return Tip(self._git.local("rev-parse", _TIP).decode().strip(), self._git)

    def sibling(self, name: str) -> "Branch":
        """Another branch of the same repository."""
        return Branch(self._git, self.address, name, signs=self._signs)

    def heads(self) -> dict[str, str]:
        """Every branch of the repository and its newest commit.

        Raises:
            ServerFailed: the server does not tell.
        """
        listed = self._remote("ls-remote", "--heads", self.address).out.decode("utf-8", "replace")
        pairs = (line.split("\t") for line in listed.splitlines())
        return {name.removeprefix("refs/heads/"): commit for commit, name in pairs}

    def commit(self, tip: Tip, files: Mapping[str, str], message: str) -> str:
        """Write a commit upon another one; the server knows nothing of it yet.

        Args:
            tip: the commit that it follows.
            files: new text by path. All other files stay.
            message: its message.

        Returns:
            The commit's id.
        """
        git = self._git
        git.local("read-tree", tip.commit)
        for path, text in files.items():
            blob = git.local("hash-object", "-w", "--stdin", given=text.encode("utf-8")).decode().strip()
            git.local("update-index", "--add", "--cacheinfo", f"{tip.mode(path)},{blob},{path}")
        tree = git.local("write-tree").decode().strip()
        signed = ["-S"] if self._signs else []
        made = git.local("commit-tree", tree, "-p", tip.commit, *signed, given=message.encode("utf-8"))
        return made.decode().strip()

    def push(self, commit: str, *, to: str = "", options: Sequence[str] = ()) -> Pushed:
        """Hand a commit over: the branch moves to it if it still is where the commit began.

        Args:
            commit: what `commit` gave.
            to: another branch, which must not be there yet; "": this one.
            options: for servers that take push options.

        Raises:
            ServerFailed: the server does not take it; the branch is as it was, unless the answer was lost.
        """
        name = to or self.name
        lease = [f"--force-with-lease=refs/heads/{to}:"] if to else []
        asked = [part for option in options for part in ("-o", option)]
        target = f"{commit}:refs/heads/{name}"
        done = self._remote("push", "--porcelain", "--no-verify", *lease, *asked, self.address, target)
        return Pushed(commit, name, told=tuple(told_by_server(done.told)))

    def would_take(self, commit: str) -> None:
        """Ask whether a push would be let in, without one; what a server's own rules say is not asked.

        Raises:
            ServerFailed: it would not.
        """
        target = f"{commit}:refs/heads/{self.name}"
        self._remote("push", "--porcelain", "--dry-run", "--no-verify", self.address, target)

    def commit_with(self, line: str) -> str:
        """The newest commit of the branch whose message has a line, "" if there is none.

        Raises:
            ServerFailed: the server does not give the branch's history.
        """
        return self._logged("--fixed-strings", f"--grep={line}", _TIP)

    def last_change(self, path: str) -> str:
        """The newest commit of the branch that changed a file, "" if there is none.

        Raises:
            ServerFailed: the server does not give the branch's history.
        """
        return self._logged(_TIP, "--", path)

    def follows(self, commit: str) -> bool:
        """Whether the branch has a commit.

        Raises:
            ServerFailed: the server does not give the branch's history.
        """
        self._whole()
        return self._git.run("merge-base", "--is-ancestor", commit, _TIP).code == 0

    def _logged(self, *chosen: str) -> str:
        self._whole()
        return self._git.local("log", "-1", "--format=%H", *chosen).decode().strip()

    def _whole(self) -> None:
        """Fetch what came before the newest commit, too."""
        if (self._git.folder / "shallow").exists():
            wanted = f"+refs/heads/{self.name}:{_TIP}"
            self._remote("fetch", "--quiet", "--unshallow", "--no-tags", self.address, wanted)

    def _remote(self, *arguments: str) -> Done:
        done = self._git.run(*arguments)
        if done.code:
            told = "\n".join((done.told, done.out.decode("utf-8", "replace")))
            # a repository may be called anything, even what a failure is called
            raise ServerFailed(trouble(told.replace(self.address, "")), told)
        return done
