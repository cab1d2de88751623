"""ClusterSpec: where and as what a run's pods run. ``minorkey compile --cluster`` bakes it in."""

from pathlib import Path
from typing import Any, Literal, Self, get_args

import yaml
from pydantic import Field, model_validator

from minorkey.cluster.fields import MountPath, Name, OptionalName, Quantity
from minorkey.cluster.serving import Serving
from minorkey.errors import SpecError
from minorkey.spec import Section, validated

__all__ = [
    "STEPS",
    "ClusterSpec",
    "Profile",
    "ServiceAccounts",
    "StepResources",
    "Stores",
    "Toleration",
    "TrialPods",
    "load_cluster_spec",
]

_STUDY = r"^(/|s3://).+"
_PLACE = r"^(/|[a-z][a-z0-9+]*://).+"

StepName = Literal[
    "configure", "load", "preprocess", "tune", "evaluate", "adjust", "register", "deploy", "release"
]

#: The steps that may have resources of their own.
STEPS: tuple[StepName, ...] = get_args(StepName)


class Toleration(Section):
    """A taint of a node that a pod tolerates."""

    key: str = Field("", description="The taint's key. Empty with operator Exists: every taint.")
    operator: Literal["Equal", "Exists"] = Field("Equal", description="How the taint is matched.")
    value: str = Field("", description="The taint's value under Equal.")
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        "", description="The taint's effect. Empty: every one."
    )
    seconds: int | None = Field(None, ge=0, description="How long NoExecute is tolerated. Default: for ever.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.operator == "Exists" and self.value:
            raise ValueError("operator Exists takes no value")
        if self.operator == "Equal" and not self.key:
            raise ValueError("operator Equal needs a key")
        return self

    def manifest(self) -> dict[str, Any]:
        """The toleration as Kubernetes writes it."""
        plain = {name: getattr(self, name) for name in ("key", "operator", "value", "effect")}
        content: dict[str, Any] = {name: text for name, text in plain.items() if text}
        return content if self.seconds is None else {**content, "tolerationSeconds": self.seconds}


class Profile(Section):
    """What one trial pod asks for; request and limit are the same."""

    cpu: Quantity = Field("1", description="Cores.")
    memory: Quantity = Field("4Gi", description="Memory.")
    gpus: int = Field(0, ge=0, le=64, description="GPUs.")
    gpu_resource: str = Field("nvidia.com/gpu", min_length=1, description="The resource that a GPU is.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Labels that a node must have.")
    tolerations: tuple[Toleration, ...] = Field((), description="Taints that the pod tolerates.")
    priority_class: OptionalName = Field("", description="PriorityClass of the pods. Empty: the cluster's.")
    ephemeral_storage: Quantity = Field("10Gi", description="Local disk for folds and models.")


class TrialPods(Section):
    """The pods in which trials run."""

    namespace: Name | None = Field(None, description="Their namespace. Default: the run's own.")
    image: str | None = Field(None, min_length=1, description="Their image. Default: the pipeline's.")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        "IfNotPresent", description="When the image is pulled."
    )
    slots: int = Field(20, ge=1, le=10_000, description="Pods at a time, over both profiles.")
    trials_per_pod: int = Field(1, ge=1, le=1_000, description="Trials that a pod runs one after the other.")
    cpu: Profile = Field(Profile(), description="Pods of model families that need no GPU.")
    gpu: Profile | None = Field(
        None, description="Pods of model families that use a GPU. Default: they run in CPU pods."
    )
    queue: OptionalName = Field("", description="Kueue LocalQueue. Empty: no Kueue.")
    service_account: Name = Field("minorkey-trial", description="ServiceAccount of trial pods; no rights.")
    deadline_slack_seconds: int = Field(
        120, ge=0, description="Seconds for start and end of a pod beyond its trials' time-outs."
    )
    ttl_seconds: int = Field(3_600, ge=60, description="Seconds after which a finished Job goes by itself.")
    study_volume: OptionalName = Field(
        "", description="Volume claim mounted at study_mount, where the study root is a folder."
    )
    study_mount: MountPath = Field("/study", description="Where that volume is mounted.")
    environment: dict[str, str] = Field(default_factory=dict, description="Variables of trial pods.")
    secrets: tuple[Name, ...] = Field(
        (),
        description="Secrets whose keys become variables of trial pods, e.g. S3 credentials that reach the "
        "study root's prefix only.",
    )

    @model_validator(mode="after")
    def _gpus(self) -> Self:
        if self.gpu is not None and self.gpu.gpus == 0:
            raise ValueError("trials.gpu.gpus is 0: leave trials.gpu out, or ask for at least one")
        if self.cpu.gpus:
            raise ValueError("trials.cpu asks for GPUs: ask for them under trials.gpu")
        return self


class Stores(Section):
    """Where a run keeps what outlives its pods, and which Secrets open it."""

    study_root: str = Field(
        pattern=_STUDY,
        json_schema_extra={"format": "path that begins with /, or s3://bucket/prefix"},
        description="What trials and driver exchange: s3://bucket/prefix, or a folder below "
        "trials.study_mount.",
    )
    bundle_root: str = Field(
        pattern=_PLACE,
        json_schema_extra={"format": "path that begins with /, or a URI such as s3://bucket/prefix"},
        description="Registered bundles by digest: s3://bucket/prefix, or a folder below bundle_mount.",
    )
    tracking_uri: str = Field(
        pattern=r"^https?://.+",
        description="The MLflow server.",
        json_schema_extra={"format": "URL such as http://mlflow:5000"},
    )
    database_secret: Name = Field(
        "minorkey-database", description="Secret with key `url`: postgresql://user:password@host/name."
    )
    artifact_secret: OptionalName = Field(
        "",
        description="Secret with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if it is not AWS, "
        "AWS_ENDPOINT_URL. Empty: none is mounted.",
    )
    tracking_secret: OptionalName = Field(
        "", description="Secret with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. Empty: none."
    )
    bundle_volume: OptionalName = Field(
        "", description="Volume claim mounted at bundle_mount, where the bundle root is a folder."
    )
    bundle_mount: MountPath = Field("/bundles", description="Where that volume is mounted.")


class ServiceAccounts(Section):
    """The identities of the run's pods."""

    pipeline: Name = Field(
        "minorkey-pipeline", description="Every step: what Kubeflow Pipelines itself needs, no more."
    )
    tune: Name = Field("minorkey-tune", description="May create, watch and delete trial Jobs.")
    deploy: Name = Field("minorkey-deploy", description="May change what serves.")


class StepResources(Section):
    """What one step's pod asks for, how long it may take and how often it is tried again."""

    cpu: Quantity = Field("1", description="Cores.")
    memory: Quantity = Field("4Gi", description="Memory.")
    timeout_seconds: int = Field(7_200, ge=1, description="Seconds after which the step is ended.")
    retries: int = Field(0, ge=0, le=10, description="Further tries after a failure, whatever its cause.")


#: tune resumes, so it is tried again; it may wait for a day of trials.
_DEFAULT_STEPS: dict[str, StepResources] = {
    "configure": StepResources(cpu="500m", memory="512Mi", timeout_seconds=600),
    "tune": StepResources(cpu="2", memory="8Gi", timeout_seconds=86_400, retries=2),
    "release": StepResources(cpu="500m", memory="512Mi", timeout_seconds=600, retries=2),
}


class ClusterSpec(Section):
    """Where and as what a run's pods run."""

    namespace: Name = Field(
        description="Namespace of the run and, unless trials.namespace says so, its trials."
    )
    image: str | None = Field(
        None, min_length=1, description="The pipeline's image, best by digest. `--image` wins."
    )
    kubeflow: str = Field(
        "2.17",
        pattern=r"^2\.(1[4-9]|[2-9][0-9])$",
        json_schema_extra={"format": "version from 2.14 to 2.99"},
        description="Version of Kubeflow Pipelines there, 2.14 or later. Below 2.17 steps get no security "
        "context of their own, because its driver refuses fields that it does not know: the image's user "
        "applies.",
    )
    model_prefix: str = Field(
        "",
        pattern=r"^$|^[a-z0-9][a-z0-9-]{0,18}-$",
        json_schema_extra={"format": "at most 20 small letters, digits and hyphens, the last a hyphen"},
        description="What the names of models have in front here, e.g. `prod-`: in the registry and so in "
        "leases, series and alerts. Environments that share MLflow, a database or a Prometheus need one "
        "each. A run whose model lacks it gets it.",
    )
    service_accounts: ServiceAccounts = Field(ServiceAccounts(), description="Identities of the pods.")
    stores: Stores = Field(description="Where a run keeps what outlives its pods, and which Secrets open it.")
    trials: TrialPods = Field(TrialPods(), description="The pods in which trials run.")
    serving: Serving = Field(Serving(), description="Where promoted models serve.")
    steps: dict[StepName, StepResources] = Field(
        default_factory=dict, description="Resources by step, where the defaults do not fit."
    )

    @model_validator(mode="after")
    def _mounted(self) -> Self:
        stores, trials = self.stores, self.trials
        for key, root, volume, mount in (
            ("study", stores.study_root, trials.study_volume, trials.study_mount),
            ("bundle", stores.bundle_root, stores.bundle_volume, stores.bundle_mount),
        ):
            if "://" in root:
                continue
            where = "trials" if key == "study" else "stores"
            if not volume:
                raise ValueError(f"stores.{key}_root is a folder: name its claim in {where}.{key}_volume")
            if not Path(root).is_relative_to(mount):
                raise ValueError(f"stores.{key}_root {root} is not below {where}.{key}_mount {mount}")
        return self

    def name_of(self, model: str) -> str:
        """The name that a model has in this cluster's registry: with the prefix in front, once."""
        return model if model.startswith(self.model_prefix) else self.model_prefix + model

    def step(self, name: str) -> StepResources:
        """What a step asks for: its entry in ``steps``, else the default."""
        given = {str(step): resources for step, resources in self.steps.items()}
        return (_DEFAULT_STEPS | given).get(name, StepResources())

    @property
    def trial_namespace(self) -> str:
        """Namespace of the trial pods."""
        return self.trials.namespace or self.namespace

    @property
    def serving_namespace(self) -> str:
        """Namespace of the predictors."""
        return self.serving.namespace or self.namespace

    @property
    def kubeflow_version(self) -> tuple[int, int]:
        """Version of Kubeflow Pipelines, as numbers that compare."""
        major, _, minor = self.kubeflow.partition(".")
        return int(major), int(minor)

    def canonical(self) -> str:
        """The specification as JSON with every default spelled out; equal texts mean equal clusters."""
        return self.model_dump_json()


def load_cluster_spec(source: Path | str) -> ClusterSpec:
    """Read a ClusterSpec.

    Args:
        source: the file's path, or the YAML or JSON text itself.

    Raises:
        SpecError: the file is missing, or the text is not YAML or does not fit the schema: with the key,
            the value and what is allowed.
    """
    where, text = (str(source), _read(source)) if isinstance(source, Path) else ("cluster", source)
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SpecError(
            "the cluster specification is not valid YAML",
            key=where,
            value=error,
            allowed="UTF-8 YAML",
            remedy="mend the line that the message names, or start from specs/cluster/example.yaml",
        ) from None
    if not isinstance(content, dict):
        raise SpecError(
            "the cluster specification is not a mapping",
            key=where,
            value=type(content).__name__,
            allowed="keys " + ", ".join(ClusterSpec.model_fields),
            remedy="start from specs/cluster/example.yaml",
        )
    return validated(
        ClusterSpec,
        content,
        what="the cluster specification",
        remedy="see docs/reference/cluster.md for every key",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            "the cluster specification cannot be read",
            key=str(path),
            value=error,
            allowed="a YAML file",
            remedy="check the path, or start from specs/cluster/example.yaml",
        ) from None
