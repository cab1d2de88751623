"""load -> preprocess -> tune -> evaluate -> register -> deploy, if the gate promotes."""

from kfp import dsl

from components.deploy import deploy
from components.evaluate import evaluate
from components.load import load
from components.preprocess import preprocess
from components.register import register
from components.tune import tune

__all__ = ["tune_pipeline"]


@dsl.pipeline(name="tune", description="Tune, prove, register and deploy a rare-event classifier.")
def tune_pipeline(
    model: str = "minorkey",
    seed: int = 0,
    data: str = "{}",
    split: str = "{}",
    search: str = "{}",
    monitor: str = "{}",
    evaluation: str = "{}",
    deployment: str = "{}",
    base_version: str = "",
    feedback_uri: str = "",
    until: str = "",
):
    """Each step receives only its own section of the specification, as JSON."""
    loaded = load(
        model=model,
        data_section=data,
        seed=seed,
        base_version=base_version,
        feedback_uri=feedback_uri,
        until=until,
    )
    parts = preprocess(model=model, split_section=split, seed=seed, data=loaded.outputs["data"])
    tuned = tune(
        model=model,
        search_section=search,
        monitor_section=monitor,
        seed=seed,
        run_key=loaded.outputs["run_key"],
        train=parts.outputs["train"],
    )
    evaluated = evaluate(
        model=model,
        evaluate_section=evaluation,
        seed=seed,
        run_key=loaded.outputs["run_key"],
        champion_version=loaded.outputs["champion_version"],
        bundle=tuned.outputs["bundle"],
        baselines=tuned.outputs["baselines"],
        study=tuned.outputs["study"],
        test=parts.outputs["test"],
    )
    registered = register(
        model=model,
        run_key=loaded.outputs["run_key"],
        bundle=tuned.outputs["bundle"],
        study=tuned.outputs["study"],
        verdict=evaluated.outputs["verdict"],
        report=evaluated.outputs["report"],
        card=evaluated.outputs["card"],
    )
    steps = [loaded, parts, tuned, evaluated, registered]
    # The decision is the step's one unnamed output: kfp.local takes a condition on a named one for False.
    with dsl.If(evaluated.outputs["Output"] == "promote"):
        steps.append(
            deploy(
                model=model,
                deploy_section=deployment,
                model_version=registered.outputs["model_version"],
                bundle_uri=registered.outputs["bundle_uri"],
                champion_version=loaded.outputs["champion_version"],
            )
        )
    for step in steps:
        step.set_caching_options(False)
