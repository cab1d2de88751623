"""What may be the address of a Git repository."""

from urllib.parse import urlsplit

from minorkey.errors import SpecError

__all__ = ["SCHEMES", "checked_address"]

#: What git may be asked to speak.
SCHEMES = ("https", "ssh", "file", "http", "git")


def checked_address(address: str) -> str:
    """The address of a repository, if git may be given it.

    Raises:
        SpecError: it is of no known kind, or carries credentials.
    """
    parts = urlsplit(address)
    # git@host:path, without a scheme; a scheme that is a host's name has no // behind it
    scp = "://" not in address and ":" in address and not address.startswith(("-", "/", ".", ":"))
    known = parts.scheme in SCHEMES and "://" in address and (parts.netloc or parts.scheme == "file")
    if any(letter.isspace() or not letter.isprintable() for letter in address) or not (scp or known):
        raise SpecError(
            "this is no address of a Git repository",
            key="serving.gitops.repository",
            value=address,
            allowed="https://HOST/PATH.git, ssh://git@HOST/PATH.git or git@HOST:PATH.git",
            remedy="correct the address; see docs/reference/cluster.md",
        )
    if parts.password or (parts.username and parts.scheme in ("https", "http")):
        host = parts.hostname or ""
        raise SpecError(
            "the address of the repository carries credentials",
            key="serving.gitops.repository",
            value=f"{parts.scheme}://...@{host}{parts.path}",
            allowed="an address without user and password",
            remedy="put user and token into the Secret that serving.gitops.secret names, as username and "
            "password",
        )
    return address
