"""What ``--shadow`` names: an alias that is followed, a version, or the folder of a bundle."""

from collections.abc import Callable
from pathlib import Path

from minorkey.bundle.bundle import Bundle
from minorkey.errors import SpecError
from minorkey.registry.versions import bundle_of_version, resolve_reference
from minorkey.serving.alias import ALIAS_SECONDS, alias_pointer
from minorkey.serving.pointer import Target
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.slot import Slot

__all__ = ["shadow_of"]


def shadow_of(slot: Slot, reference: str) -> ShadowFollower:
    """Load a challenger beside the champion, and follow its alias if it is named by one.

    Args:
        slot: what serves.
        reference: ``NAME@ALIAS``, ``NAME@VERSION`` or a folder.

    Raises:
        SpecError: the reference names another model than the one that serves.
        BundleError: the bundle is altered, foreign or absent.
        StateError: the registry has no such version, or it needs what requests to the champion do not hold.
    """
    follower = ShadowFollower(slot, _point(reference, slot.current.model), seconds=ALIAS_SECONDS)
    follower.follow()
    return follower


def _point(reference: str, served: str) -> Callable[[], Target | None]:
    if "@" not in reference:
        folder = Path(reference)
        fixed = Target(Bundle.load(folder).digest[:12], str(folder.absolute()))
        return lambda: fixed
    model, alias, version = resolve_reference(reference, key="--shadow")
    if model != served:
        raise SpecError(
            "a model can be in the shadow of its own versions only",
            key="--shadow",
            value=reference,
            allowed=f"{served}@ALIAS or {served}@VERSION",
            remedy="name a version of the model that serves",
        )
    return (
        alias_pointer(model, alias) if alias else _fixed(Target(version, bundle_of_version(model, version)))
    )


def _fixed(target: Target) -> Callable[[], Target | None]:
    return lambda: target
