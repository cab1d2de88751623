"""The release step as a component."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def release(
    data: str,
    target: str,
    model: str,
    spec: str,
    image: str,
    cluster: str,
    run_id: str,
):
    """Give the model's lease back, however the run ended.

    Args:
        data: where the rows are; the model is named after them where nothing else names it.
        target: the column to predict.
        model: name in the registry.
        spec: the rest of the specification, as JSON or YAML.
        image: the image that was compiled in.
        cluster: the ClusterSpec that was compiled in, as JSON.
        run_id: identity of this run.
    """
    from minorkey.form import Compiled, Form
    from minorkey.steps import release as step

    step.run(
        form=Form(data=data, target=target, model=model, spec=spec),
        compiled=Compiled(image, cluster),
        run_id=run_id,
    )
