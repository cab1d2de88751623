"""Release: give the model's lease back, however the run ended."""

from minorkey import lease
from minorkey.errors import InputError
from minorkey.form import Compiled, Form
from minorkey.settings import settings
from minorkey.steps.step import step

__all__ = ["run"]


@step
def run(*, form: Form, compiled: Compiled, run_id: str) -> None:
    """Release the lease that `load` took; nothing happens where it took none.

    On this machine the command that owns the run releases it, after the results are collected.

    Args:
        form: what was filled in; it names the model.
        compiled: what the pipeline was compiled for.
        run_id: identity of the run: the KFP run id.

    Raises:
        StateError: the leases cannot be reached.
    """
    if settings().owner_lock:
        return
    try:
        spec, _ = form.resolve(compiled)
    except InputError:
        return  # `configure` has refused this form, so nothing was ever taken.
    lease.release(spec.model, run_id)
