"""The stages of a retune, the cheapest fix first: the same wherever the runs run."""

from dataclasses import dataclass
from typing import Literal

from minorkey.form import resolve
from minorkey.spec import RunSpec

__all__ = [
    "STAGES",
    "Outcome",
    "Verdict",
    "first_stage",
    "next_stage",
    "outcome_of",
    "pipeline_of",
    "stage_spec",
]

Outcome = Literal["adjusted", "promoted", "kept"]
#: In the order in which they are tried.
STAGES = ("adjust", "refit", "search")


@dataclass(frozen=True)
class Verdict:
    """What a run decided.

    Attributes:
        decision: ``promote`` or ``keep``.
        action: what the diagnosis asks for, of ``adjust`` alone.
        reason: of the decision, in words.
    """

    decision: str
    action: str
    reason: str


def first_stage(*, labelled: bool, base_version: str) -> str:
    """Where a retune begins: without labelled rows or a champion there is nothing but a search.

    Args:
        labelled: whether there are labelled rows of production.
        base_version: the version that serves, "" if none does.
    """
    return "adjust" if labelled and base_version else "search"


def next_stage(stage: str, verdict: Verdict) -> str:
    """The stage after one that has ended; "" where it mended the harm, or nothing is to be mended."""
    if verdict.decision == "promote":
        return ""
    if stage == "adjust":
        return "refit" if verdict.action == "refit" else ""
    return "search" if stage == "refit" else ""


def outcome_of(stage: str, verdict: Verdict) -> Outcome:
    """What a retune came to that ended with this stage."""
    if verdict.decision != "promote":
        return "kept"
    return "adjusted" if stage == "adjust" else "promoted"


def pipeline_of(stage: str) -> str:
    """The pipeline that a stage is a run of."""
    return "adjust" if stage == "adjust" else "tune"


def stage_spec(stage: str, spec: RunSpec, labelled: str) -> RunSpec:
    """The specification of a stage.

    Args:
        stage: one of `STAGES`.
        spec: of the run as a search has it.
        labelled: where the labelled rows of production are, which an adjustment is made from.

    Raises:
        StateError: the registry does not answer, or the champion is gone.
    """
    if stage == "adjust":
        return _adjust_spec(spec, labelled)
    if stage == "refit":
        return spec.model_copy(update={"search": spec.search.model_copy(update={"refit": True})})
    return spec


def _adjust_spec(spec: RunSpec, labelled: str) -> RunSpec:
    """The specification that reads fresh rows as the champion's training read its own."""
    from minorkey.registry import data_section

    section = data_section(spec.model)
    section.pop("weight", None)  # the export's own, where rows stand for several
    content = {
        "data": section | {"options": {}},
        # What is not set is left to the place where the run runs: it has a deploy target of its own.
        "evaluate": spec.evaluate.model_dump(mode="json", exclude_unset=True),
        "deploy": spec.deploy.model_dump(mode="json", exclude_unset=True),
    }
    return resolve(content, {"model": spec.model, "data.source": labelled, "seed": spec.seed})[0]
