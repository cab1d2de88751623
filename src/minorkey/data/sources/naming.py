"""A source by a name that may be shown."""

import re

__all__ = ["without_secrets"]


def without_secrets(source: str) -> str:
    """A URI without user, password and query, where tokens are; whatever is no URI as it is."""
    scheme, found, rest = source.partition("://")
    if not found:
        return source
    place, slash, path = re.split(r"[?#]", rest)[0].partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
