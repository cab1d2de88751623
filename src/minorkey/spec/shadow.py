"""deploy.shadow: what scores beside the champion on this machine, counted apart."""

from pydantic import Field

from minorkey.spec.section import Section

__all__ = ["ShadowSpec"]


class ShadowSpec(Section):
    """What scores the same rows as the champion of the local predictor, counted apart and in no answer."""

    follow: bool = Field(
        False,
        description="Whether versions that runs on this machine register later, promoted or kept, score in "
        "the predictor's shadow.",
    )
    rows: int = Field(
        0,
        ge=0,
        le=100_000_000,
        description="Rows that a promoted version scores in shadow before it serves. 0: it serves at once.",
    )
    minutes: float = Field(
        60.0,
        gt=0,
        le=10_080,
        description="Minutes to wait for these rows. After that the run ends with an error, the champion "
        "serves on, and the version stays in shadow.",
    )
