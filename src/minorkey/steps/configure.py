"""Configure: check what the form says and give each step its own section."""

from dataclasses import dataclass

from minorkey.form import Compiled, Form
from minorkey.progress import emit
from minorkey.steps.step import step

__all__ = ["Configured", "run"]


@dataclass(frozen=True)
class Configured:
    """The specification, section by section, as JSON.

    Attributes:
        model: name in the registry.
        seed: seed of everything random.
        data: for load.
        split: for preprocess.
        search: for tune.
        monitor: for tune.
        evaluate: for evaluate.
        deploy: for deploy.
    """

    model: str
    seed: int
    data: str
    split: str
    search: str
    monitor: str
    evaluate: str
    deploy: str


@step
def run(*, form: Form, compiled: Compiled) -> Configured:
    """Resolve the form to one valid specification.

    Args:
        form: what was filled in.
        compiled: what the pipeline was compiled for.

    Raises:
        SpecError: a field or key does not fit, or asks for another cluster or image.
    """
    spec, assumed = form.resolve(compiled)
    for text in assumed:
        emit("assumed", text=text)
    if form.reason:
        emit("phase", phase="reason", text=form.reason)
    return Configured(
        model=spec.model,
        seed=spec.seed,
        data=spec.data_to_load().model_dump_json(),
        split=spec.split.model_dump_json(),
        search=spec.search.model_dump_json(),
        monitor=spec.monitor.model_dump_json(),
        evaluate=spec.evaluate.model_dump_json(),
        deploy=spec.deploy.model_dump_json(),
    )
