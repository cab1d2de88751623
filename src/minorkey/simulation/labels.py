"""Labels as they come in production: late, and not for every row."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from minorkey.errors import SpecError
from minorkey.simulation.options import require_number

__all__ = ["POLICIES", "LabelPlan", "Policy"]

Policy = Literal["full", "delayed_positive", "selective"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


@dataclass(frozen=True)
class LabelPlan:
    """When which label comes.

    Attributes:
        policy: ``full``: every label comes; ``delayed_positive``: positives are reported, negatives show
            by silence; ``selective``: rows called positive are stopped, so that their outcome stays
            unknown but for an audit slice.
        delay: seconds until every label that comes has come. Positives come earlier, at a random time.
        audit: probability with which a stopped row is let through under ``selective``.
    """

    policy: Policy = "full"
    delay: float = 0.0
    audit: float = 0.1

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise SpecError(
                "there is no such policy", key="--labels", value=self.policy, allowed=", ".join(POLICIES)
            )
        require_number("--label-delay", self.delay, 0, unit="seconds")
        require_number("--audit", self.audit, 0, 1)

    def label(
        self, identity: str, y: int, predicted: int, random: np.random.Generator
    ) -> tuple[float, dict[str, Any]] | None:
        """The label of a row: seconds until it comes and what the feedback service gets; None for silence.

        Args:
            identity: of the row.
            y: its true label.
            predicted: what the model called it.
            random: source of chance.
        """
        after = float(random.random()) * self.delay if y else self.delay
        if self.policy == "delayed_positive" and not y:
            return None
        if self.policy != "selective":
            return after, {"id": identity, "label": y}
        if not predicted:
            return (after, {"id": identity, "label": y}) if y else None
        if random.random() < self.audit:
            return after, {"id": identity, "label": y, "propensity": self.audit}
        return 0.0, {"id": identity, "intervened": True}
