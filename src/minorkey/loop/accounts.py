"""What a retune of the trigger tells of itself."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minorkey.retune.supervisor import ACCOUNT, RESULTS

__all__ = ["Fix", "read_fix"]


@dataclass(frozen=True)
class Fix:
    """What a retune did.

    Attributes:
        promoted: whether another version came of it.
        text: what was chosen, and why, in words.
        account: the retune's own account.
    """

    promoted: bool
    text: str
    account: dict[str, Any]


def read_fix(folder: Path) -> Fix | None:
    """The account of a run of the trigger, None while there is none."""
    path = folder / RESULTS / ACCOUNT
    if not path.exists():
        return None
    account = json.loads(path.read_text(encoding="utf-8"))
    tried = "; ".join(
        f"{stage['name']}: {stage['decision']}. {stage['reason']}" for stage in account["stages"]
    )
    text = f"{account['fresh_rows']:,} labelled rows of production. {tried}"
    return Fix(account["outcome"] != "kept", text, account)
