"""deploy: where the promoted model serves."""

from typing import Literal

from pydantic import Field

from minorkey.spec.section import Section

__all__ = ["DeploySpec"]


class DeploySpec(Section):
    """Where the promoted model serves."""

    target: Literal["local", "none"] = Field(
        "local", description="local: a predictor process here. none: register only."
    )
    host: str = Field("127.0.0.1", description="Address the local predictor binds.")
    port: int = Field(0, ge=0, le=65_535, description="Port of the local predictor. 0: any free one.")
