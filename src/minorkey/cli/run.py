"""``minorkey run``."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from cyclopts import Parameter

from minorkey.errors import MinorkeyError, SpecError
from minorkey.scalars import scalar

__all__ = ["data_spec", "entry_point", "parse_settings", "resolve_spec", "run_command", "scalar"]


def run_command(
    spec: Path | None = None,
    /,
    *,
    data: str | None = None,
    target: str | None = None,
    positive: str | None = None,
    trials: int | None = None,
    workers: int | None = None,
    timeout: float | None = None,
    seed: int | None = None,
    set: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    keep_column: Annotated[list[str] | None, Parameter(negative="")] = None,
    base_version: str = "",
    feedback: str = "",
    until: str = "",
    mode: Literal["full", "refit"] = "full",
    reason: str = "",
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    quiet: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Tune, prove, register and serve a classifier, from data to a deployed model.

    An interrupted run goes on where it stopped: give the same command again. Options override
    the specification. Examples:

    - `minorkey run` (built-in card transactions)
    - `minorkey run --data mine.csv --target churned --trials 100`
    - `minorkey run fraud.yaml --set search.ensemble=1 --set split.test_fraction=0.3`

    Parameters
    ----------
    spec
        Specification in YAML. `minorkey init` writes one, `minorkey schema` lists every key.
    data
        Where the rows are: a path, a URI (s3://, https://), openml:ID, sklearn:NAME or builtin:cards.
    target
        Column to predict. Needed for data of your own.
    positive
        The target's value that is the rare event. Default: the rarer of the two.
    trials
        Configurations to try, exactly this many. Default: 40.
    workers
        Processes that try them. Default: one a core.
    timeout
        Seconds after which no further trial starts.
    seed
        Seed of everything random, except which rows are in the test.
    set
        Any key of the specification, e.g. `--set search.threshold.policy=min_cost`. Repeatable.
    keep_column
        A column that is used even if it looks like an identifier or gives the answer away. Repeatable.
    base_version
        On a retune: the version whose configurations are tried first. A test by time then holds only rows
        that are later than what that version was trained on.
    feedback
        On a retune: labelled production rows to append, as `minorkey feedback export` writes them.
    until
        Use only rows whose event is before this moment (ISO 8601).
    mode
        `refit`: no search, the configurations of the base version are fitted anew.
    reason
        Why this run was started; a tag of the run in MLflow.
    out
        Folder for the results. Default: `runs/MODEL`.
    overwrite
        Replace a finished run in that folder. An interrupted run of the same command still goes on.
    quiet
        Print nothing but errors.
    """
    from minorkey.cli.local_source import check_local_source
    from minorkey.result import print_summary, write_result
    from minorkey.view import watching

    run_spec, assumed = resolve_spec(
        spec,
        flags={
            "data.source": data,
            "data.target": target,
            "data.positive": positive if positive is None else scalar(positive),
            "search.trials": trials,
            "search.workers": workers,
            "search.timeout": timeout,
            "seed": seed,
        },
        settings=set or [],
        keep=keep_column or [],
    )
    check_local_source(run_spec.data.source)
    parameters = _parameters(base_version, feedback, until, mode, reason)
    if mode == "refit":
        search = run_spec.search.model_copy(update={"refit": True})
        run_spec = run_spec.model_copy(update={"search": search})
    folder = out or Path("runs") / run_spec.model
    run_pipeline = entry_point("run")
    with watching(quiet=quiet, trials=run_spec.search.trials) as view:
        for text in assumed:
            view({"event": "assumed", "text": text})
        run_pipeline(
            run_spec, folder, parameters=parameters, overwrite=overwrite, watch=view, finish=write_result
        )
    if not quiet:
        print_summary(folder)


def _parameters(base_version: str, feedback: str, until: str, mode: str, reason: str) -> dict[str, str]:
    """What is said of a retune, as the pipeline's parameters.

    Raises:
        SpecError: a refit of nothing.
        DataError: the production rows are named and not there.
    """
    from minorkey.cli.local_source import check_local_source

    if mode == "refit" and not base_version:
        raise SpecError(
            "a refit needs a version whose configurations are fitted anew",
            key="--base-version",
            value="",
            allowed="a version of the model",
            remedy="name it, or leave out --mode refit",
        )
    if feedback:
        check_local_source(feedback)
    told = {"base_version": base_version, "feedback_uri": feedback, "until": until, "reason": reason}
    return {name: value for name, value in told.items() if value}


def resolve_spec(
    path: Path | None, *, flags: dict[str, Any], settings: list[str], keep: list[str]
) -> tuple[Any, list[str]]:
    """The specification that a command line means, and what was assumed on the way.

    Args:
        path: the specification's file, None for the defaults.
        flags: dotted keys that options set; None where the option was not given.
        settings: ``key.sub=value`` texts.
        keep: columns to keep, added to the specification's.

    Raises:
        SpecError: something does not fit.
    """
    from minorkey.form import resolve
    from minorkey.spec import load_spec

    content = {} if path is None else load_spec(path).model_dump(mode="json", exclude_unset=True)
    overrides = {key: value for key, value in flags.items() if value is not None} | parse_settings(settings)
    if keep:
        overrides["data.keep"] = [*content.get("data", {}).get("keep", []), *keep]
    return resolve(content, overrides)


def data_spec(data: str, target: str | None, positive: str | None) -> Any:
    """The specification that data, target and positive value alone mean.

    Raises:
        SpecError: something does not fit.
    """
    flags = {
        "data.source": data,
        "data.target": target,
        "data.positive": None if positive is None else scalar(positive),
    }
    return resolve_spec(None, flags=flags, settings=[], keep=[])[0]


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Dotted keys and values of ``key.sub=value`` texts; values are YAML.

    Raises:
        SpecError: a text has no ``=``, or its value is not YAML.
    """
    parsed = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise SpecError(
                "the setting is not understood",
                key="--set",
                value=text,
                allowed="key.sub=value",
                remedy="write it as in --set search.trials=100; `minorkey schema` lists every key",
            )
        try:
            parsed[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise SpecError(
                "the value is not YAML",
                key=f"--set {key}",
                value=value,
                allowed="a number, true, false, a text, or a list such as [a, b]",
                remedy="close every bracket and quote, and put the whole setting in quotes for the shell",
            ) from None
    return parsed


def entry_point(name: str) -> Callable[..., Any]:
    """A function of the pipelines, found by entry point so that the library never imports them.

    Raises:
        MinorkeyError: the pipelines are not installed.
    """
    for entry in importlib.metadata.entry_points(group="minorkey.pipelines", name=name):
        function: Callable[..., Any] = entry.load()
        return function
    raise MinorkeyError(f"the pipelines are not installed beside minorkey: no entry point {name!r}")
