"""configure -> load -> preprocess -> tune -> evaluate -> register -> deploy, if the gate promotes."""

from typing import Any

from kfp import dsl

from components.configure import configure
from components.deploy import deploy
from components.evaluate import evaluate
from components.image import IMAGE
from components.load import load
from components.preprocess import preprocess
from components.register import register
from components.release import release
from components.tune import tune
from minorkey.cluster.spec import ClusterSpec
from pipelines.placement import place

__all__ = ["build", "tune_pipeline"]


def build(image: str = IMAGE, cluster: ClusterSpec | None = None) -> Any:
    """The pipeline for an image and a cluster.

    Args:
        image: the image of every step.
        cluster: where its pods run and what they may use; None: whatever runs the pipeline decides.
    """
    baked_in = "" if cluster is None else cluster.model_copy(update={"image": image}).canonical()

    @dsl.pipeline(name="tune", description="Tune, prove, register and deploy a rare-event classifier.")
    def tune_pipeline(
        data: str = "",
        target: str = "",
        positive: str = "",
        trials: int = 0,
        timeout: float = 0.0,
        seed: int = -1,
        model: str = "",
        reason: str = "",
        mode: str = "full",
        spec: str = "{}",
        base_version: str = "",
        feedback_uri: str = "",
        until: str = "",
    ):
        """Tune, prove, register and deploy a rare-event classifier.

        Args:
            data: Where the rows are: s3://, https://, openml:ID, builtin:cards. Empty: as in spec.
            target: The column to predict. Needed for data of your own, here or in spec.
            positive: The target's value that is the rare event. Empty: the rarer of the two.
            trials: Configurations to try, exactly this many. 0: as spec says, else 40.
            timeout: Seconds of searching after which no further trial starts. 0: as spec says, else none.
            seed: Seed of everything random but the split. -1: as spec says, else 0.
            model: Name in the registry. Empty: as spec says, else named after the data.
            reason: Why this run was started; a tag of the run in MLflow.
            mode: What the run does. Allowed: full (search, prove, register, deploy), refit (no search: the
                configurations of base_version, fitted anew).
            spec: Everything else, as JSON or YAML of the run specification. The fields above win.
            base_version: On a retune, the version whose configurations are tried first; else empty. Its
                test then holds only rows that are later than what that version was trained on.
            feedback_uri: On a retune, where labelled production rows are; else empty.
            until: On a retune, the last event time that is read (ISO 8601); else empty.
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
                trials=trials,
                timeout=timeout,
                seed=seed,
                model=model,
                reason=reason,
                mode=mode,
                spec=spec,
                image=image,
                cluster=baked_in,
            )
            asked = configured.outputs
            loaded = load(
                model=asked["model"],
                data_section=asked["data"],
                base_version=base_version,
                feedback_uri=feedback_uri,
                until=until,
                run_id=run_id,
            )
            parts = preprocess(
                model=asked["model"],
                split_section=asked["split"],
                seed=asked["seed"],
                data=loaded.outputs["data"],
            )
            tuned = tune(
                model=asked["model"],
                search_section=asked["search"],
                monitor_section=asked["monitor"],
                seed=asked["seed"],
                run_key=loaded.outputs["run_key"],
                cluster=baked_in,
                reason=reason,
                base_version=base_version,
                train=parts.outputs["train"],
            )
            evaluated = evaluate(
                model=asked["model"],
                evaluate_section=asked["evaluate"],
                seed=asked["seed"],
                run_key=loaded.outputs["run_key"],
                champion_version=loaded.outputs["champion_version"],
                bundle=tuned.outputs["bundle"],
                baselines=tuned.outputs["baselines"],
                study=tuned.outputs["study"],
                test=parts.outputs["test"],
            )
            registered = register(
                model=asked["model"],
                run_key=loaded.outputs["run_key"],
                bundle=tuned.outputs["bundle"],
                study=tuned.outputs["study"],
                verdict=evaluated.outputs["verdict"],
                report=evaluated.outputs["report"],
                card=evaluated.outputs["card"],
            )
            # The decision is the step's one unnamed output: kfp.local takes a condition on a named one
            # for False.
            with dsl.If(evaluated.outputs["Output"] == "promote"):
                deployed = deploy(
                    model=asked["model"],
                    deploy_section=asked["deploy"],
                    model_version=registered.outputs["model_version"],
                    bundle_uri=registered.outputs["bundle_uri"],
                    champion_version=loaded.outputs["champion_version"],
                    cluster=baked_in,
                )
        for step in (released, configured, loaded, parts, tuned, evaluated, registered, deployed):
            place(step, image, cluster)

    return tune_pipeline


tune_pipeline = build()
