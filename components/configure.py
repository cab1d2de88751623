"""The configure step as a component."""

from typing import NamedTuple

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def configure(
    data: str,
    target: str,
    positive: str,
    trials: int,
    timeout: float,
    seed: int,
    model: str,
    reason: str,
    mode: str,
    spec: str,
    image: str,
    cluster: str,
) -> NamedTuple(  # type: ignore[valid-type]
    "Configured",
    [
        ("model", str),
        ("seed", int),
        ("data", str),
        ("split", str),
        ("search", str),
        ("monitor", str),
        ("evaluate", str),
        ("deploy", str),
    ],
):
    """Check what the form says and give each step its own section of the specification.

    Args:
        data: where the rows are.
        target: the column to predict.
        positive: the target's value that is the rare event.
        trials: configurations to try.
        timeout: seconds of searching.
        seed: seed of everything random but the split by hash.
        model: name in the registry.
        reason: why the run was started.
        mode: what the run does.
        spec: the rest of the specification, as JSON or YAML.
        image: the image that was compiled in.
        cluster: the ClusterSpec that was compiled in, as JSON.

    Returns:
        model: name in the registry.
        seed: seed of everything random.
        data: the data section.
        split: the split section.
        search: the search section.
        monitor: the monitor section.
        evaluate: the evaluate section.
        deploy: the deploy section.
    """
    from minorkey.form import Compiled, Form
    from minorkey.steps import configure as step

    done = step.run(
        form=Form(data, target, positive, trials, timeout, seed, model, reason, mode, spec),
        compiled=Compiled(image, cluster),
    )
    return (
        done.model,
        done.seed,
        done.data,
        done.split,
        done.search,
        done.monitor,
        done.evaluate,
        done.deploy,
    )
