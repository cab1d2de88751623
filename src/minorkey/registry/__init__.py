"""The model registry: versions with their lineage and aliases, and the bundles they ship as."""

from minorkey.registry.bundles import check_bundle_root, fetch_bundle, store_bundle
from minorkey.registry.former import (
    champion_before,
    former_champion,
    note_promotion,
    note_rollback,
    note_target,
    rollback_note,
    target_of_version,
)
from minorkey.registry.loading import data_section, load_version
from minorkey.registry.versions import (
    bundle_of_version,
    move_champion,
    register_version,
    require_champion,
    resolve_reference,
    version_to_beat,
)

__all__ = [
    "bundle_of_version",
    "champion_before",
    "check_bundle_root",
    "data_section",
    "fetch_bundle",
    "former_champion",
    "load_version",
    "move_champion",
    "note_promotion",
    "note_rollback",
    "note_target",
    "register_version",
    "require_champion",
    "resolve_reference",
    "rollback_note",
    "store_bundle",
    "target_of_version",
    "version_to_beat",
]
