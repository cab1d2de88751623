"""Sources that are known by a name: OpenML, scikit-learn's bundled sets, the built-in generator."""

import inspect
from typing import Any

from minorkey.data.sources.table import Limits, Options, Table, check_cells, check_header, check_options
from minorkey.errors import DataError

__all__ = ["read_cards", "read_openml", "read_sklearn"]

_SKLEARN = ("breast_cancer", "digits", "iris", "wine")


def read_openml(identifier: str, options: Options, limits: Limits) -> Table:
    """Fetch a data set from OpenML by its number; scikit-learn keeps a copy for the next time.

    Raises:
        DataError: the id is not a number, there is no such set, or OpenML cannot be reached.
    """
    check_options(options, (), f"openml:{identifier}")
    if not identifier.isdecimal():
        raise DataError(
            "an OpenML source needs the data set's number",
            key="data.source",
            value=f"openml:{identifier}",
            allowed="openml:ID, e.g. openml:31",
        )
    from sklearn.datasets import fetch_openml

    try:
        # The other parser, pandas, fails on levels that are numbers (scikit-learn 1.9 with pandas 3).
        bunch = fetch_openml(data_id=int(identifier), as_frame=True, parser="liac-arff", n_retries=1)
    except Exception as error:  # the parser's errors share no base of their own
        raise DataError(
            "the data set could not be fetched from OpenML",
            key="data.source",
            value=f"openml:{identifier}: {error}",
            allowed="a data set in dense ARFF that the network reaches",
            remedy="check the number and the network, or download the file and give its path",
        ) from None
    targets = list(bunch.target_names or [])
    check_header([str(name) for name in bunch.frame.columns], f"openml:{identifier}", limits)
    check_cells(bunch.frame, f"openml:{identifier}", limits)
    return Table(bunch.frame.reset_index(drop=True), target=targets[0] if len(targets) == 1 else None)


def read_sklearn(name: str, options: Options, limits: Limits) -> Table:
    """One of scikit-learn's bundled classification sets.

    The option ``positive_class`` makes a set of several classes into that class against the rest.

    Raises:
        DataError: there is no such set, or no such class in it.
    """
    source = f"sklearn:{name}"
    check_options(options, ("positive_class",), source)
    if name not in _SKLEARN:
        raise DataError(
            "scikit-learn bundles no such classification set",
            key="data.source",
            value=source,
            allowed=", ".join(f"sklearn:{known}" for known in _SKLEARN),
        )
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    classes = [str(label) for label in bunch.target_names]
    frame = bunch.frame.assign(target=[classes[code] for code in bunch.target])
    chosen = options.get("positive_class")
    if chosen is not None:
        if str(chosen) not in classes:
            raise DataError(
                f"{source} has no such class",
                key="data.options.positive_class",
                value=chosen,
                allowed=", ".join(classes),
            )
        frame["target"] = [label if label == str(chosen) else "rest" for label in frame["target"]]
    check_header(list(frame.columns), source, limits)
    return Table(frame, target="target", positive=None if chosen is None else str(chosen))


def read_cards(name: str, options: Options, limits: Limits) -> Table:
    """The built-in generator of card transactions; its parameters are the options.

    Raises:
        DataError: the name is not ``cards``, or an option is not one of the generator's parameters.
    """
    if name != "cards":
        raise DataError(
            "there is no such built-in source",
            key="data.source",
            value=f"builtin:{name}",
            allowed="builtin:cards",
        )
    from minorkey.data.cards import generate_cards

    check_options(options, inspect.signature(generate_cards).parameters, "builtin:cards")
    arguments: dict[str, Any] = dict(options)
    frame = generate_cards(**arguments)
    check_header(list(frame.columns), "builtin:cards", limits)
    roles = {"event_time": "time", "entity": "customer", "label_time": "label_time"}
    present = {role: column for role, column in roles.items() if column in frame}
    return Table(frame, target="fraud", roles=present, positive="1")
