"""deploy: where the promoted model serves, and what a new version has to show first."""

from typing import Literal

from pydantic import Field

from minorkey.spec.section import Section
from minorkey.spec.shadow import ShadowSpec

__all__ = ["CanarySpec", "DeploySpec"]


class CanarySpec(Section):
    """What a new version has to show on a share of the requests before it gets all of them."""

    percent: int = Field(10, ge=1, le=50, description="Percent of the requests that the new version gets.")
    requests: int = Field(
        500, ge=50, le=1_000_000, description="Requests to the new version after which the verdict is given."
    )
    minutes: float = Field(
        10.0,
        gt=0,
        le=1_440,
        description="Minutes after which it is given in any case; what is missing of the requests is then "
        "made up of rows like those of training, sent to both versions.",
    )
    max_errors: float = Field(
        0.01,
        ge=0,
        lt=1,
        description="Most errors, as a share of its requests, beyond the old version's.",
    )
    max_p99_ratio: float = Field(
        2.0, ge=1, description="Most that the 99th percentile of its seconds may be of the old version's."
    )
    max_p99_seconds: float = Field(
        0.05, ge=0, description="A 99th percentile up to this many seconds is never too slow."
    )
    max_psi: float = Field(
        0.25, gt=0, description="Largest population stability index of its scores against the old version's."
    )


class DeploySpec(Section):
    """Where the promoted model serves."""

    target: Literal["local", "none", "kserve", "gitops"] = Field(
        "local",
        description="local: a predictor process here. none: register only. kserve: an InferenceService of "
        "the cluster. gitops: a commit that Argo CD applies. In a pipeline for a cluster the default is what "
        "its specification has under serving, else none.",
    )
    host: str = Field("127.0.0.1", description="Address the local predictor binds.")
    port: int = Field(0, ge=0, le=65_535, description="Port of the local predictor. 0: any free one.")
    shadow: ShadowSpec = Field(
        ShadowSpec(), description="For `local`: what scores beside the champion, counted apart."
    )
    canary: CanarySpec = Field(
        CanarySpec(), description="For `kserve` on a cluster with a gateway: what a new version has to show."
    )
