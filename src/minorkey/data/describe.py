"""A data set in words: what ``minorkey profile`` prints, and the commented spec of ``minorkey init``."""

import json
from collections.abc import Iterator
from typing import Any

from minorkey.data.left_out import inferred
from minorkey.data.loading import Loaded, load_dataset
from minorkey.spec import RunSpec

__all__ = ["describe", "initial_spec", "profile_text"]

_NAME_WIDTH = 32


def describe(spec: RunSpec) -> Loaded:
    """The data set of a run, loaded as its first step would.

    Raises:
        DataError: the data set cannot be loaded.
    """
    return load_dataset(spec.data)


def profile_text(loaded: Loaded) -> str:
    """The profile as text: the target first, then what was assumed, then every feature."""
    return "\n".join([*_overview(loaded.profile), *_aloud(loaded), "", *_features(loaded.profile)])


def initial_spec(spec: RunSpec) -> str:
    """A commented spec for the data of a run: YAML that `minorkey.spec.load_spec` reads.

    Args:
        spec: its model, seed and data section are taken over, with everything inferred filled in.

    Raises:
        DataError: the data set cannot be loaded.
    """
    return "\n".join(_spec_lines(spec, describe(spec))) + "\n"


def _overview(profile: dict[str, Any]) -> Iterator[str]:
    rows, positives = profile["rows"], profile["positives"]
    yield profile["source"]
    yield f"  rows              {rows:,}"
    yield (
        f"  positives         {positives:,} ({positives / rows:.3%}), "
        f"{profile['target']} = {profile['positive']}"
    )
    yield f"  imbalance ratio   {profile['imbalance_ratio']:,.1f} negatives for each positive"
    yield f"  Gini, entropy     {profile['gini']:.4f}, {profile['entropy']:.4f} bits"
    yield f"  missing values    {profile['missing_share']:.2%} of all cells"
    yield f"  duplicate rows    {profile['duplicate_rows']:,}"
    for role, column in profile["roles"].items():
        yield f"  {role:<17} {column}"
    if profile["time_range"]:
        yield f"  from, to          {', '.join(profile['time_range'])}"
    yield f"  digest            {profile['digest']}"


def _aloud(loaded: Loaded) -> Iterator[str]:
    if loaded.assumptions:
        yield ""
        yield "assumed, because the spec does not say it:"
        yield from (f"  - {text}" for text in loaded.assumptions)


def _features(profile: dict[str, Any]) -> Iterator[str]:
    yield f"{'feature':<{_NAME_WIDTH}} {'kind':<12} {'missing':>8} {'distinct':>9}  range or top levels"
    for name, column in profile["columns"].items():
        yield (
            f"{_shortened(name):<{_NAME_WIDTH}} {column['kind']:<12} {column['missing']:>8.1%} "
            f"{column['distinct']:>9,}  {_extent(column)}"
        )


def _extent(column: dict[str, Any]) -> str:
    if column["kind"] == "categorical":
        return ", ".join(f"{_shortened(level, 20)} ({count:,})" for level, count in column["top"][:4])
    quantiles = column["quantiles"]
    if not quantiles:
        return "nothing but missing values"
    return f"{quantiles['0.0']:.6g} to {quantiles['1.0']:.6g}, median {quantiles['0.5']:.6g}"


def _shortened(text: str, width: int = _NAME_WIDTH) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _spec_lines(spec: RunSpec, loaded: Loaded) -> Iterator[str]:
    schema, profile = loaded.dataset.schema, loaded.profile
    yield "# What one run does. Every key and its default: minorkey schema. Run it: minorkey run THIS_FILE"
    yield "# Commented keys show the default, or what was inferred from the data."
    yield f"model: {spec.model}  # name in the model registry"
    yield f"seed: {spec.seed}  # of everything random but the split"
    yield ""
    yield "data:"
    yield f"  source: {json.dumps(spec.data.source)}"
    if spec.data.options:
        yield f"  options: {json.dumps(dict(spec.data.options))}"
    yield f"  target: {json.dumps(schema.target)}"
    yield (
        f"  positive: {json.dumps(schema.positive)}  # {profile['positives']:,} of {profile['rows']:,} rows; "
        f"the other value is {json.dumps(schema.negative)}"
    )
    yield from _column_lines(loaded)
    yield ""
    yield "split:"
    yield "  kind: auto  # time where there is an event time, repeated_cv where positives are few, else hash"
    yield "  # test_fraction: 0.2  # share of rows (the last ones in time) in the sealed test"
    yield "  # label_delay: 0d  # time until a label is known, e.g. 7d"
    yield ""
    yield "search:"
    yield "  trials: 40"
    yield "  # timeout: 600  # seconds after which no further trial starts"
    yield "  threshold:"
    yield "    # or max_fbeta, min_cost, min_row_cost, min_precision, min_recall, top_k, alerts_per_day"
    yield "    policy: max_mcc"
    yield ""
    yield "# evaluate:"
    yield "#   gate:"
    yield "#     rule: superior  # a challenger replaces the champion only if it is better beyond noise"
    yield "# deploy:"
    yield "#   target: local"


def _column_lines(loaded: Loaded) -> Iterator[str]:
    schema = loaded.dataset.schema
    for role, column in schema.roles.items():
        yield f"  {role}: {json.dumps(column)}"
    for role, meaning in (
        ("event_time", "when it happened: makes the split one by time"),
        ("label_time", "when the label became known"),
        ("entity", "what rows belong to (customer, patient): keeps its rows on one side of the split"),
        ("weight", "a non-negative weight for each row"),
        ("cost", "the cost of missing this row"),
    ):
        if role not in schema.roles:
            yield f"  # {role}: COLUMN  # {meaning}"
    categorical = schema.names("categorical")
    if categorical:
        yield f"  categorical: {json.dumps(categorical)}"
    yield "  # drop: []  # never use these columns as features"
    left_out = inferred(schema.left_out)
    yield "  keep: []  # use these columns, whatever they look like" + ("; left out:" if left_out else "")
    for name, reason in left_out.items():
        yield f"  #   {json.dumps(name)}: {_shortened(reason, 120)}"
