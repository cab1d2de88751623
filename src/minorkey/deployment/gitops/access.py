"""Who this process is at a Git server: from files alone, handed to git in its environment."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from minorkey.cluster.git_address import SCHEMES
from minorkey.errors import SpecError, StateError

__all__ = ["Author", "GitAccess"]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: What git and ssh need of the environment; everything else stays out of their reach.
_KEPT = ("PATH", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
#: Bytes a second below which a transfer counts as stalled, and for how long.
_STALLED = ("1000", "30")


@dataclass(frozen=True)
class Author:
    """Who commits are by."""

    name: str = "minorkey"
    email: str = "minorkey@localhost"


@dataclass(frozen=True)
class GitAccess:
    """Credentials of a Git server, as Kubernetes keeps them in a Secret that is mounted as a folder.

    Attributes:
        folder: holds ``password`` (a token) and maybe ``username`` for https, or ``ssh-privatekey`` and
            ``known_hosts`` for ssh; beside them ``ca.crt``, certificates that vouch for the server, and
            ``signing-key``, an SSH key that signs commits. None: the server asks for nothing.
    """

    folder: Path | None = None

    @property
    def signs(self) -> bool:
        """Whether commits are signed."""
        return self._file("signing-key") is not None

    def environment(self, address: str, home: Path, author: Author) -> dict[str, str]:
        """Variables under which git reaches an address and nothing of this user's configuration.

        No value is a secret: git reads the token through a helper that is told its file's path.

        Args:
            address: the repository, as `minorkey.cluster.git_address.checked_address` lets it pass.
            home: an empty folder in place of the user's.
            author: who commits are by.

        Raises:
            StateError: a file that the address needs is not there or empty.
        """
        parts = urlsplit(address)
        config = {
            "user.name": author.name,
            "user.email": author.email,
            "commit.gpgSign": "false",
            "core.hooksPath": os.devnull,
            "gc.auto": "0",
            "maintenance.auto": "false",
            # An address that moved is told, not followed: the token would go where nobody sent it.
            "http.followRedirects": "false",
            "http.lowSpeedLimit": _STALLED[0],
            "http.lowSpeedTime": _STALLED[1],
        }
        if parts.scheme in ("https", "http"):
            config |= self._for_http(parts.scheme, parts.netloc, parts.hostname or "")
        if (key := self._file("signing-key")) is not None:
            config |= {"gpg.format": "ssh", "user.signingKey": str(key)}
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        variables = {
            "HOME": str(home),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
            "GIT_CONFIG_COUNT": str(len(config)),
        }
        for number, (name, value) in enumerate(config.items()):
            variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        if parts.scheme == "ssh" or not parts.scheme:
            variables |= self._for_ssh()
        return kept | variables

    def _for_http(self, scheme: str, netloc: str, host: str) -> dict[str, str]:
        config: dict[str, str] = {}
        if (authority := self._file("ca.crt")) is not None:
            config["http.sslCAInfo"] = str(authority)
        if self._file("password") is None and (scheme == "http" or self.folder is None):
            return config
        if scheme == "http" and host not in _LOOPBACK:
            raise SpecError(
                "a token would travel in clear text",
                key="serving.gitops.repository",
                value=f"{scheme}://{netloc}",
                allowed="https://... or ssh://...",
                remedy="use the server's https address; ca.crt in the Secret vouches for one of your own",
            )
        token = self._required("password", "a token that may push")
        user = self._file("username")
        named = f"tr -d '\\r\\n' < {shlex.quote(str(user))}" if user is not None else "printf x-access-token"
        helper = (
            '!f() { test "$1" = get || exit 0; '
            f"printf username=; {named}; echo; "
            f"printf password=; tr -d '\\r\\n' < {shlex.quote(str(token))}; echo; }}; f"
        )
        return {**config, f"credential.{scheme}://{netloc}.helper": helper}

    def _for_ssh(self) -> dict[str, str]:
        key = self._required("ssh-privatekey", "a private key whose public half may push")
        hosts = self._required("known_hosts", "the server's host keys (ssh-keyscan HOST, compared by hand)")
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(hosts),
            "GlobalKnownHostsFile": os.devnull,
            "ConnectTimeout": "15",
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "2",
        }
        asked = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        command = shlex.join(["ssh", "-F", os.devnull, "-i", str(key), *asked])
        return {"GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}

    def _required(self, name: str, what: str) -> Path:
        found = self._file(name)
        if found is None:
            raise StateError(
                "credentials of the Git server are missing",
                key="MINORKEY_GIT_CREDENTIALS",
                value=self.folder / name if self.folder else "no folder",
                allowed=f"a folder with {name}: {what}",
                remedy="put it into the Secret that serving.gitops.secret names, or into a folder, and set "
                "MINORKEY_GIT_CREDENTIALS to it",
            )
        return found

    def _file(self, name: str) -> Path | None:
        """A file of the folder that holds something, else None."""
        path = None if self.folder is None else self.folder / name
        if path is None or not path.is_file():
            return None
        try:
            return path if path.read_bytes().strip() else None
        except OSError as error:
            raise StateError(
                "a credential of the Git server cannot be read",
                key=str(path),
                value=error.strerror,
                remedy="let this user read it (fsGroup 10001 of the pod, or chmod)",
            ) from None
