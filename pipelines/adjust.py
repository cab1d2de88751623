"""configure -> load -> adjust -> register -> deploy, if a cheap fix is proven: no search, no training."""

from typing import Any

from kfp import dsl

from components.adjust import adjust
from components.configure import configure
from components.deploy import deploy
from components.image import IMAGE
from components.load import load
from components.register import register
from components.release import release
from minorkey.cluster.spec import ClusterSpec
from pipelines.placement import place

__all__ = ["adjust_pipeline", "build"]


def build(image: str = IMAGE, cluster: ClusterSpec | None = None) -> Any:
    """The pipeline for an image and a cluster.

    Args:
        image: the image of every step.
        cluster: where its pods run and what they may use; None: whatever runs the pipeline decides.
    """
    baked_in = "" if cluster is None else cluster.model_copy(update={"image": image}).canonical()

    @dsl.pipeline(
        name="adjust", description="Mend a served classifier's probabilities and threshold, if that helps."
    )
    def adjust_pipeline(
        data: str = "",
        target: str = "",
        positive: str = "",
        seed: int = -1,
        model: str = "",
        reason: str = "",
        spec: str = "{}",
        until: str = "",
    ):
        """Diagnose the champion on fresh labelled rows; mend calibration and threshold if that helps.

        Args:
            data: Where rows with mature labels are, newer than the champion's: s3://, https:// and so on.
            target: The column that was predicted.
            positive: The target's value that is the rare event. Empty: the rarer of the two.
            seed: Seed of the bootstraps. -1: as spec says, else 0.
            model: Name in the registry.
            reason: Why this run was started; it stays with the run.
            spec: Everything else, as JSON or YAML of the run specification. The fields above win.
            until: The last event time that is read (ISO 8601); empty for all.
        """
        run_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        released = release(
            data=data,
            target=target,
            model=model,
            spec=spec,
            image=image,
            cluster=baked_in,
            run_id=run_id,
        )
        with dsl.ExitHandler(released, name="run"):
            configured = configure(
                data=data,
                target=target,
                positive=positive,
                trials=0,
                timeout=0.0,
                seed=seed,
                model=model,
                reason=reason,
                mode="full",
                spec=spec,
                image=image,
                cluster=baked_in,
            )
            asked = configured.outputs
            loaded = load(
                model=asked["model"],
                data_section=asked["data"],
                base_version="",
                feedback_uri="",
                until=until,
                run_id=run_id,
            )
            adjusted = adjust(
                model=asked["model"],
                evaluate_section=asked["evaluate"],
                seed=asked["seed"],
                run_key=loaded.outputs["run_key"],
                champion_version=loaded.outputs["champion_version"],
                data=loaded.outputs["data"],
            )
            # One unnamed output, as in pipelines/tune.py: kfp.local takes a named one for False.
            with dsl.If(adjusted.outputs["Output"] == "promote"):
                registered = register(
                    model=asked["model"],
                    run_key=loaded.outputs["run_key"],
                    bundle=adjusted.outputs["bundle"],
                    study=adjusted.outputs["study"],
                    verdict=adjusted.outputs["verdict"],
                    report=adjusted.outputs["report"],
                    card=adjusted.outputs["card"],
                )
                deployed = deploy(
                    model=asked["model"],
                    deploy_section=asked["deploy"],
                    model_version=registered.outputs["model_version"],
                    bundle_uri=registered.outputs["bundle_uri"],
                    champion_version=loaded.outputs["champion_version"],
                    cluster=baked_in,
                )
        for step in (released, configured, loaded, adjusted, registered, deployed):
            place(step, image, cluster)

    return adjust_pipeline


adjust_pipeline = build()
