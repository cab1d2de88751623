"""What a row counts as once its label horizon has passed, and which negatives are kept after that."""

import xxhash

from minorkey.feedback.spec import LabelledModel

__all__ = ["KEEP_BINS", "is_kept", "keep_probability", "outcome_of"]

#: Bins of the score below a fifth of the threshold; from there on every row is kept.
KEEP_BINS = 5


def outcome_of(
    policy: str, label: int | None, intervened: bool, propensity: float | None
) -> tuple[int | None, float]:
    """The outcome of a mature row and its weight; None where nothing is known of it.

    A row of the audit slice stands for 1 / propensity rows, as Horvitz and Thompson (1952) weight a sample.
    Whoever intervened in a row chose which labels there are: it counts only where every outcome is reported.

    Args:
        policy: ``full``, ``delayed_positive`` or ``selective``.
        label: what came in, None for silence.
        intervened: whether something hides the outcome.
        propensity: of a row in the audit slice, else None.
    """
    if policy != "full":
        if intervened:
            return None, 0.0
        label = label or 0
    return label, 0.0 if label is None else 1.0 / (propensity or 1.0)


def keep_probability(score: float, threshold: float, model: LabelledModel) -> float:
    """With which probability a mature negative is kept: 1 from a fifth of the threshold on, less below.

    Args:
        score: calibrated probability.
        threshold: decision threshold that it was compared with.
        model: its `keep_negatives` is the probability in the lowest bin.
    """
    edge = threshold / 5
    if not 0 <= score < edge:
        return 1.0
    place = min(KEEP_BINS - 1, int(score / edge * KEEP_BINS))
    return model.keep_negatives + (1 - model.keep_negatives) * place / KEEP_BINS


def is_kept(model: str, identity: str, probability: float) -> bool:
    """Whether a row falls into the share that is kept: always the same for the same row."""
    place = xxhash.xxh3_64_intdigest(f"{model}\0{identity}".encode())
    return place < probability * 2.0**64
