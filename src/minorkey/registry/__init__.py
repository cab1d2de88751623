"""The model registry: versions with their lineage and aliases, and the bundles they ship as."""

from minorkey.registry.bundles import check_bundle_root, fetch_bundle, store_bundle
from minorkey.registry.champions import (
    champion_since,
    has_been_champion,
    has_come_back,
    move_champion,
    require_champion,
)
from minorkey.registry.former import (
    champion_before,
    former_champion,
    note_promotion,
    note_rollback,
    note_target,
    note_withdrawal,
    require_to_leave,
    rollback_note,
    target_of_version,
)
from minorkey.registry.loading import data_section, load_version
from minorkey.registry.pending import Pending, clear_pending, mark_pending, pending_of, versions_of_digest
from minorkey.registry.versions import (
    bundle_of_version,
    digest_of_version,
    of_one_run,
    reason_of_version,
    register_version,
    resolve_reference,
    version_to_beat,
)

__all__ = [
    "Pending",
    "bundle_of_version",
    "champion_before",
    "champion_since",
    "check_bundle_root",
    "clear_pending",
    "data_section",
    "digest_of_version",
    "fetch_bundle",
    "former_champion",
    "has_been_champion",
    "has_come_back",
    "load_version",
    "mark_pending",
    "move_champion",
    "note_promotion",
    "note_rollback",
    "note_target",
    "note_withdrawal",
    "of_one_run",
    "pending_of",
    "reason_of_version",
    "register_version",
    "require_champion",
    "require_to_leave",
    "resolve_reference",
    "rollback_note",
    "store_bundle",
    "target_of_version",
    "version_to_beat",
    "versions_of_digest",
]
