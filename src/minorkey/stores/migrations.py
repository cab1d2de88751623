"""What brings tables of an older version to this one's, and refuses those of a newer one."""

from collections.abc import Collection, Mapping

from minorkey.errors import StateError

__all__ = ["migration"]


def migration(
    found: Collection[int], version: int, migrations: Mapping[int, str], *, what: str, key: str, place: str
) -> list[str]:
    """The statements that bring tables to this version, in order; none where they are of it.

    Args:
        found: versions that the database tells, which is one.
        version: what this minorkey works with.
        migrations: by version, the statements, separated by ``;``, that bring its tables to the next one.
            They only add, so that a process of the older version that is still at work is not disturbed.
        what: the tables' name in messages.
        key: setting that names the database.
        place: the database, without a password.

    Raises:
        StateError: the tables are of a newer minorkey, or of one so old that they are no longer brought on.
    """
    (current,) = found if len(found) == 1 else (0,)
    if current > version:
        raise StateError(
            f"the database holds the {what} of a newer minorkey",
            key=key,
            value=f"{place}: version {current}",
            allowed=f"version 1 to {version}",
            remedy="use the newer minorkey, or restore the backup that was made before the upgrade",
        )
    if any(step not in migrations for step in range(current, version)):
        raise StateError(
            f"the database holds the {what} of a minorkey that is too old",
            key=key,
            value=f"{place}: version {', '.join(map(str, sorted(found))) or 'unknown'}",
            allowed=f"version {min([*migrations, version])} to {version}",
            remedy="upgrade by way of the releases in between, or use another database",
        )
    steps = [text for step in range(current, version) for text in migrations[step].split(";")]
    return [text for text in steps if text.strip()]
