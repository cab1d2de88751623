"""The bearer token of a service: from a file or the environment, compared in constant time."""

import hmac
from pathlib import Path

from starlette.requests import Request

from minorkey.errors import StateError
from minorkey.serving.refusal import Refusal

__all__ = ["BearerToken"]

_SHORTEST = 16


class BearerToken:
    """What a request has to bring to be heard.

    Args:
        value: the token itself.
        file: the file that holds it, None where `value` does. It is read again when it changes, so that
            a token can be replaced while the service runs.
        key: what the messages call it.

    Raises:
        StateError: there is none, it is too short, or the file cannot be read.
    """

    def __init__(self, value: str, file: Path | None, *, key: str) -> None:
        self._file, self._key = file, key
        self._seen: tuple[int, int] | None = None
        self._value = value.encode()
        if file is not None:
            self._seen = _state(file)
            self._value = self._read(file)
        if len(self._value) < _SHORTEST:
            raise StateError(
                "the service needs a token that its callers bring",
                key=key,
                allowed=f"at least {_SHORTEST} characters",
                remedy="write one: (umask 077; openssl rand -hex 32 > token), and give --token-file token",
            )

    def require(self, request: Request) -> None:
        """Refuse a request that does not bring the token.

        Raises:
            Refusal: status 401.
        """
        self._follow()
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Bytes: comparing texts raises on other characters than ASCII.
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), self._value)
        if scheme.lower() != "bearer" or not same:
            raise Refusal("expected the header 'Authorization: Bearer TOKEN' with the service's token", 401)

    def _follow(self) -> None:
        if self._file is None:
            return
        state = _state(self._file)
        if state is None or state == self._seen:
            return
        try:
            value = self._read(self._file)
        except StateError:
            return
        self._seen = state
        if len(value) >= _SHORTEST:
            self._value = value

    def _read(self, file: Path) -> bytes:
        try:
            return file.read_bytes().strip()
        except OSError as error:
            raise StateError(
                "the token's file cannot be read",
                key=self._key,
                value=error,
                allowed="a file with a token",
                remedy="check path and permissions",
            ) from None


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
