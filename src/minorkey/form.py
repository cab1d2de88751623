"""From what a person fills in (options of a command, a Kubeflow form) to the specification of a run."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import SpecError
from minorkey.scalars import scalar
from minorkey.spec import RunSpec, with_overrides

__all__ = ["MODES", "Compiled", "Form", "resolve"]

#: What a run may do: search, prove, register and deploy; or the same with no search, but a new fit of what
#: serves now.
MODES = ("full", "refit")

#: Sources that say themselves what is to be predicted.
_TARGET_KNOWN = ("builtin:", "sklearn:", "openml:")


@dataclass(frozen=True)
class Compiled:
    """What `minorkey compile` baked into the pipeline that runs.

    Attributes:
        image: the image of its steps.
        cluster: the ClusterSpec as JSON, "" on this machine.
    """

    image: str
    cluster: str = ""

    def check(self, content: dict[str, Any]) -> dict[str, Any]:
        """The content without ``image`` and ``cluster``.

        Raises:
            SpecError: one of them asks for something else than what was compiled in.
        """
        rest = dict(content)
        asked = rest.pop("image", self.image)
        if asked != self.image:
            raise _baked_in("image", asked, self.image)
        given = rest.pop("cluster", None)
        if given is not None:
            _check_cluster(given, json.loads(self.cluster) if self.cluster else {})
        for key in sorted((set(ClusterSpec.model_fields) - set(RunSpec.model_fields)) & set(rest)):
            raise _baked_in(key, rest[key], "only the keys of the run specification")
        return rest


def _check_cluster(given: Any, compiled: Any, key: str = "cluster") -> None:
    if isinstance(given, dict) and isinstance(compiled, dict):
        for name, value in given.items():
            _check_cluster(value, compiled.get(name), f"{key}.{name}")
    elif given != compiled:
        raise _baked_in(key, given, "none: it runs on this machine" if compiled is None else str(compiled))


def _baked_in(key: str, value: Any, allowed: str) -> SpecError:
    return SpecError(
        "a run asks for another cluster or image than the one its pipeline was compiled for",
        key=key,
        value=value,
        allowed=allowed,
        remedy=f"leave {key} out, or compile a pipeline for it (minorkey compile --cluster --image)",
    )


@dataclass(frozen=True)
class Form:
    """The inputs of the Kubeflow form, as typed there.

    An empty field, 0 trials, 0 seconds and seed -1 say nothing: then ``spec`` or the default decides.

    Attributes:
        data: where the rows are.
        target: the column to predict.
        positive: the target's value that is the rare event.
        trials: configurations to try.
        timeout: seconds of searching.
        seed: seed of everything random but the split.
        model: name in the registry.
        reason: why the run was started.
        mode: one of `MODES`.
        spec: everything else, as JSON or YAML of the run specification.
    """

    data: str = ""
    target: str = ""
    positive: str = ""
    trials: int = 0
    timeout: float = 0.0
    seed: int = -1
    model: str = ""
    reason: str = ""
    mode: str = "full"
    spec: str = ""

    def resolve(self, compiled: Compiled) -> tuple[RunSpec, list[str]]:
        """The specification that the form means, and what was assumed on the way.

        Raises:
            SpecError: a field or a key of ``spec`` does not fit.
        """
        if self.mode not in MODES:
            raise SpecError(
                "there is no such mode",
                key="mode",
                value=self.mode,
                allowed=", ".join(MODES),
                remedy="choose one of the modes, or leave the field as it was",
            )
        content, overrides = compiled.check(self._content()), self._overrides()
        spec, assumed = resolve(content, overrides)
        cluster = ClusterSpec.model_validate_json(compiled.cluster) if compiled.cluster else None
        for settle in (_with_target, _with_prefix):
            spec, told = settle(spec, cluster)
            assumed += told
        return spec, assumed

    def _content(self) -> dict[str, Any]:
        try:
            content = yaml.safe_load(self.spec)
        except yaml.YAMLError as error:
            raise SpecError(
                "the specification is neither JSON nor YAML",
                key="spec",
                value=error,
                allowed="JSON or YAML",
                remedy="mend the line that the message names: often a quote, a bracket or a comma",
            ) from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise SpecError(
                "the specification is not a mapping",
                key="spec",
                value=self.spec,
                allowed='sections with keys, e.g. {"search": {"ensemble": 1}}',
                remedy="write it like the example, or leave the field empty",
            )
        return content

    def _overrides(self) -> dict[str, Any]:
        for key, value, least in (
            ("trials", self.trials, 0),
            ("timeout", self.timeout, 0),
            ("seed", self.seed, -1),
        ):
            if value < least:
                raise SpecError(
                    "the number is too small",
                    key=key,
                    value=value,
                    allowed=f"at least {least} ({least}: not given)",
                    remedy=f"enter {least} to leave it to the specification, or a larger number",
                )
        fields = {
            "data.source": self.data or None,
            "data.target": self.target or None,
            "data.positive": scalar(self.positive) if self.positive else None,
            "search.trials": self.trials or None,
            "search.timeout": self.timeout or None,
            "seed": None if self.seed == -1 else self.seed,
            "model": self.model or None,
            "search.refit": True if self.mode == "refit" else None,
        }
        return {key: value for key, value in fields.items() if value is not None}


def _with_target(spec: RunSpec, cluster: ClusterSpec | None) -> tuple[RunSpec, list[str]]:
    """The specification with the deploy target that its place has, and what was assumed.

    Raises:
        SpecError: it asks for another one. On a cluster nothing outlives the deploy step's pod; elsewhere
            there is no specification of a cluster that says where and as what a model serves.
    """
    served = "local" if cluster is None else cluster.serving.target
    target = spec.deploy.target
    if cluster is not None and served == "kserve" and target != "none":
        _require_time(spec, cluster)
    if target in (served, "none"):
        return spec, []
    if cluster is None or "target" in spec.deploy.model_fields_set:
        raise SpecError(
            "this pipeline cannot deploy to that target",
            key="deploy.target",
            value=target,
            allowed=", ".join(dict.fromkeys((served, "none"))),
            remedy=_REMEDIES[target],
        )
    why = "a pod of the run is no place to serve from"
    chosen = spec.deploy.model_copy(update={"target": served})
    return spec.model_copy(update={"deploy": chosen}), [f"deploy.target is {served}: {why}"]


def _with_prefix(spec: RunSpec, cluster: ClusterSpec | None) -> tuple[RunSpec, list[str]]:
    """The specification with the name that its model has in the cluster's registry, and what was assumed.

    Raises:
        SpecError: the name is too long with the cluster's prefix.
    """
    name = spec.model if cluster is None else cluster.name_of(spec.model)
    if name == spec.model:
        return spec, []
    try:
        named = with_overrides(spec.model_dump(mode="json", exclude_unset=True), {"model": name})
    except SpecError as error:
        error.remedy = f"shorten it: models of this cluster have {name.removesuffix(spec.model)} in front"
        raise
    return named, [f"model is {name}: models of this cluster have that prefix"]


def _require_time(spec: RunSpec, cluster: ClusterSpec) -> None:
    """Refuse a canary that the deploy step's own time-out would end.

    Raises:
        SpecError: it may last longer.
    """
    seconds = 60 * spec.deploy.canary.minutes
    limit = cluster.step("deploy").timeout_seconds
    if cluster.serving.kserve and cluster.serving.kserve.gateway and seconds >= limit:
        raise SpecError(
            "the canary may last longer than its step",
            key="deploy.canary.minutes",
            value=spec.deploy.canary.minutes,
            allowed=f"less than {limit / 60:g} minutes (steps.deploy.timeout_seconds of the cluster)",
            remedy="lower it, or compile the pipeline for a larger steps.deploy.timeout_seconds",
        )


_REMEDIES = {
    "local": "leave deploy.target out: a pod of the run is no place to serve from",
    "kserve": "describe serving.kserve in the cluster specification and compile the pipeline for it "
    "(minorkey compile --cluster), or leave deploy.target out",
    "gitops": "describe serving.gitops in the cluster specification and compile the pipeline for it "
    "(minorkey compile --cluster), or leave deploy.target out",
}


def resolve(content: dict[str, Any], overrides: dict[str, Any]) -> tuple[RunSpec, list[str]]:
    """A specification in which dotted keys are replaced, and what was assumed on the way.

    Raises:
        SpecError: something does not fit, or nothing says which column is to be predicted.
    """
    overrides, assumed = dict(overrides), []
    section = content.get("data")
    within = section.get("source") if isinstance(section, dict) else None
    source = str(overrides.get("data.source") or within or "builtin:")
    if not source.startswith("builtin:") and "model" not in content and "model" not in overrides:
        overrides["model"] = _model_name(source)
        assumed.append(f"the model is called {overrides['model']}, after its data (--set model=NAME)")
    spec = with_overrides(content, overrides)
    if spec.data.target is None and not spec.data.source.startswith(_TARGET_KNOWN):
        raise SpecError(
            "the column to predict is not named",
            key="data.target",
            allowed="the name of a column",
            remedy="add --target COLUMN, or data.target in the specification",
        )
    return spec, assumed


def _model_name(source: str) -> str:
    stem = Path(re.split(r"[?#]", source)[0]).name.partition(".")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-")
    return slug or "minorkey"
