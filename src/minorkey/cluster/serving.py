"""Where promoted models serve on a cluster: what a run cannot choose."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from minorkey.cluster.fields import Name, OptionalName, Quantity
from minorkey.cluster.git_address import checked_address
from minorkey.spec.section import Section

__all__ = ["GitOpsServing", "KServeServing", "Serving"]


class KServeServing(Section):
    """Target ``kserve``: an InferenceService a model, which the deploy step changes itself."""

    image: str = Field(min_length=1, description="The predictor's image (images/predictor), best by digest.")
    gateway: bool = Field(
        False,
        description="Whether KServe routes through a Gateway (enableGatewayApi), so that a new version can "
        "get a share of the requests first. false: a rolling update, pod by pod, once new pods answer.",
    )
    service_account: Name = Field(
        "minorkey-predictor",
        description="ServiceAccount of the predictors; its Secrets open the bundle root. It has no rights.",
    )
    cpu: Quantity = Field("500m", description="Cores of a predictor, as request and limit.")
    memory: Quantity = Field("512Mi", description="Memory of a predictor, as request and limit.")
    min_replicas: int = Field(2, ge=1, le=1_000, description="Fewest predictors of a model.")
    max_replicas: int = Field(10, ge=1, le=10_000, description="Most predictors of a model.")
    cpu_percent: int = Field(
        70, ge=1, le=100, description="CPU use, in percent of the request, above which predictors are added."
    )
    start_seconds: int = Field(
        600, ge=1, le=86_400, description="Seconds within which predictors of a new version answer."
    )
    priority_class: OptionalName = Field("", description="PriorityClass of predictors. Empty: the cluster's.")

    @model_validator(mode="after")
    def _replicas(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError(
                f"serving.kserve.max_replicas {self.max_replicas} is below min_replicas {self.min_replicas}"
            )
        return self


class GitOpsServing(Section):
    """Target ``gitops``: a commit to the one file that a model owns; Argo CD changes the cluster."""

    repository: str = Field(
        min_length=1,
        description="Address of the Git repository that Argo CD follows, without credentials: "
        "https://HOST/PATH.git, ssh://git@HOST/PATH.git or git@HOST:PATH.git.",
    )
    branch: str = Field(
        "main",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$",
        json_schema_extra={"format": "name of a branch"},
        description="The branch that it follows.",
    )
    folder: str = Field(
        "models/{model}",
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_.-]*\{model\}[A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$",
        json_schema_extra={"format": "path in the repository, with {model} where the model's name goes"},
        description="Folder of a model; the file inferenceservice.yaml in it is the one that is changed.",
    )
    mode: Literal["commit", "merge-request"] = Field(
        "commit",
        description="commit: to the branch itself. merge-request: to a branch of its own that asks to be "
        "merged, where the branch is protected.",
    )
    secret: OptionalName = Field(
        "minorkey-git",
        description="Secret with `password` (a token) and maybe `username`, or with `ssh-privatekey` and "
        "`known_hosts`; `ca.crt` vouches for the server, `signing-key` (an SSH key) signs commits. Empty: "
        "none is mounted.",
    )
    author: str = Field("minorkey", min_length=1, description="Name of who commits are by.")
    email: str = Field("minorkey@localhost", min_length=1, description="Their address.")
    patience_seconds: int = Field(
        300,
        ge=0,
        le=86_400,
        description="How long the step goes on where others push at the same time or the server is away.",
    )
    predictor: KServeServing | None = Field(
        None,
        description="What the first commit of a model that has no folder yet writes into its "
        "InferenceService. Default: the folder has to be there.",
    )

    @field_validator("repository")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_address(value)

    @field_validator("author", "email")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if any(letter in "<>" or not letter.isprintable() for letter in value):
            raise ValueError("serving.gitops.author and email are one line without < and >")
        return value


class Serving(Section):
    """Where promoted models serve. The targets exclude each other: there is one of the sections, or none."""

    namespace: Name | None = Field(None, description="Namespace of the predictors. Default: the run's own.")
    kserve: KServeServing | None = Field(
        None, description="For `deploy.target: kserve`. Default: there is no KServe for the runs."
    )
    gitops: GitOpsServing | None = Field(
        None, description="For `deploy.target: gitops`. Default: models are not shipped by Git."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.kserve is not None and self.gitops is not None:
            raise ValueError(
                "serving.kserve and serving.gitops are both given: what Argo CD owns is changed by a commit "
                "alone, so keep one of them"
            )
        return self

    @property
    def target(self) -> str:
        """The target of `deploy.target` that this cluster has, "none" if it has neither."""
        if self.kserve is not None:
            return "kserve"
        return "none" if self.gitops is None else "gitops"
