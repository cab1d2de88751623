"""What a retune of the trigger tells of itself."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minorkey.retune.supervisor import RESULTS

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
    verdict = folder / RESULTS / "verdict.json"
    if not verdict.exists():
        return None
    content = json.loads(verdict.read_text(encoding="utf-8"))
    return Fix(content["decision"] == "promote", str(content["reason"]), content)
