"""What an alias of the registry points to, asked again and again."""

from collections.abc import Callable

from minorkey.registry.versions import bundle_of_version
from minorkey.serving.pointer import Target
from minorkey.tracking import version_of

__all__ = ["ALIAS_SECONDS", "alias_pointer"]

#: Seconds between two looks at a registry's alias.
ALIAS_SECONDS = 2.0


def alias_pointer(model: str, alias: str, known: Target | None = None) -> Callable[[], Target | None]:
    """Tells what the alias points to, asking for the bundle only when the version is another one.

    Args:
        model: name of the registered model.
        alias: the alias.
        known: what it pointed to last.

    Returns:
        Gives the present target, None while the alias points to nothing. It raises a StateError where the
        registry does not answer.
    """
    last = known

    def point() -> Target | None:
        nonlocal last
        version = version_of(model, alias)
        if not version:
            last = None
        elif last is None or version != last.version:
            last = Target(version, bundle_of_version(model, version))
        return last

    return point
