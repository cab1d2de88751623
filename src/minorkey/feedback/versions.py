"""Forgets the counts of versions that nothing has been heard of for as long as rows are kept."""

from collections import defaultdict
from math import fsum

from minorkey.feedback.intake import Intake
from minorkey.stores.sql import Transaction

__all__ = ["forget_versions"]

_DAY = 86_400.0


def forget_versions(made: Transaction, intake: Intake) -> None:
    """Delete the counts of versions without a row whose counts have not changed within `keep_days`.

    The version of a model that changed last keeps its counts. They only grow, so that their sum tells whether
    one has changed since the last look; what is seen for the first time counts as changed.
    """
    now = intake.clock()
    for model, versions in _looked_at(made, now).items():
        newest = max(versions, key=lambda version: (versions[version], len(version), version))
        oldest = now - intake.spec.keep_days(model) * _DAY
        quiet = {version for version, since in versions.items() if since < oldest} - {newest}
        for version in quiet - (_with_rows(made, model) if quiet else set()):
            for table in ("minorkey_feedback_counts", "minorkey_feedback_versions"):
                made.change(
                    f"DELETE FROM {table} WHERE model = %s AND version = %s",  # noqa: S608
                    model,
                    version,
                )


def _looked_at(made: Transaction, now: float) -> dict[str, dict[str, float]]:
    """By model and version, since when the counts are what they are; that is noted for the next look."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for model, version, value in made.rows(
        "SELECT model, version, value FROM minorkey_feedback_counts WHERE version <> ''"
    ):
        values[model, version].append(value)
    known = {
        (model, version): (total, since)
        for model, version, total, since in made.rows(
            "SELECT model, version, total, since FROM minorkey_feedback_versions"
        )
    }
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (model, version), added in values.items():
        total = fsum(added)
        before, since = known.get((model, version), (None, now))
        if total != before:
            since = now
            made.change(
                "INSERT INTO minorkey_feedback_versions (model, version, total, since) "
                "VALUES (%s, %s, %s, %s) ON CONFLICT (model, version) DO UPDATE SET total = %s, since = %s",
                model, version, total, now, total, now,
            )  # fmt: skip
        found[model][version] = since
    return found


def _with_rows(made: Transaction, model: str) -> set[str]:
    """The versions of a model that have rows, answered or scored in shadow."""
    return {
        version
        for table in ("minorkey_feedback_rows", "minorkey_feedback_shadows")
        for (version,) in made.rows(f"SELECT DISTINCT version FROM {table} WHERE model = %s", model)  # noqa: S608
    }
