"""Single values of a YAML file, read and replaced where they stand: every other byte of it stays.

A file that people edit by hand, with comments and an order of its own, is not written anew.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from minorkey.errors import StateError

__all__ = ["Place", "replaced", "value_at"]


class Place(NamedTuple):
    """A value in one of a file's documents.

    Attributes:
        kind: the document's ``kind``.
        path: keys from its top; ``name=x`` is the item of a list whose ``name`` is x.
    """

    kind: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}: {'.'.join(f'[{key}]' if '=' in key else key for key in self.path)}"


def value_at(text: str, place: Place, *, file: str) -> str:
    """The text of a value, "" where it is empty.

    Raises:
        StateError: the file is no YAML, or has no such value or several.
    """
    node = _node(text, place, file)
    return "" if node.tag.endswith(":null") else str(node.value)


def replaced(text: str, values: Mapping[Place, str], *, file: str) -> str:
    """The file with other values; all else is as it was, comments, order, line ends and blanks too.

    Args:
        text: the file.
        values: what is to stand where.
        file: its name, for errors.

    Raises:
        StateError: the file is no YAML, has no such value, or it stands where it cannot be changed alone.
    """
    spans = []
    for place, value in values.items():
        node = _node(text, place, file)
        start, end = node.start_mark.index, node.end_mark.index
        if node.style in ("|", ">") or text[start : start + 1] in ("&", "!"):
            raise _unfit("a value is written so that it cannot be replaced alone", place, file)
        quoted = "'" + value.replace("'", "''") + "'" if node.style == "'" else json.dumps(value)
        spans.append((start, end, f" {quoted}" if start == end else quoted))
    for start, end, quoted in sorted(spans, reverse=True):
        text = text[:start] + quoted + text[end:]
    return text


def _node(text: str, place: Place, file: str) -> yaml.ScalarNode:
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise StateError(
            "a model's file in the repository is not valid YAML",
            key=file,
            value=error,
            remedy="mend it in Git; nothing was changed",
        ) from None
    found = [
        chain
        for document in documents
        if document is not None and _plain(document, ("kind",)) == place.kind
        for chain in _walk((document,), place.path)
    ]
    node = found[0][-1] if len(found) == 1 else None
    if not isinstance(node, yaml.ScalarNode):
        raise _unfit(
            f"a model's file {'has a value more than once' if len(found) > 1 else 'lacks a value'}",
            place,
            file,
        )
    counted = _references(documents)
    if any(counted[id(one)] > 1 for one in found[0]):
        raise _unfit("a value is shared by an anchor", place, file)
    return node


def _unfit(problem: str, place: Place, file: str) -> StateError:
    return StateError(
        problem,
        key=file,
        value=str(place),
        allowed="one value in one line, without anchor or tag",
        remedy="write the line in Git as docs/how-to/ship-by-git.md shows it; nothing was changed",
    )


def _plain(node: yaml.Node, path: tuple[str, ...]) -> str:
    return next((str(chain[-1].value) for chain in _walk((node,), path)), "")


def _walk(chain: tuple[yaml.Node, ...], path: tuple[str, ...]) -> Iterator[tuple[yaml.Node, ...]]:
    """The nodes at a path, each with all those above it."""
    if not path:
        yield chain
        return
    node, key, rest = chain[-1], path[0], path[1:]
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                yield from _walk((*chain, value), rest)
    elif isinstance(node, yaml.SequenceNode) and "=" in key:
        field, _, wanted = key.partition("=")
        for item in node.value:
            if _plain(item, (field,)) == wanted:
                yield from _walk((*chain, item), rest)


def _references(documents: Sequence[yaml.Node | None]) -> Counter[int]:
    """How often each node is referred to; what an anchor names is looked into once."""
    counted: Counter[int] = Counter()
    left = [document for document in documents if document is not None]
    while left:
        node = left.pop()
        counted[id(node)] += 1
        if counted[id(node)] > 1:
            continue
        if isinstance(node, yaml.MappingNode):
            left += [one for pair in node.value for one in pair]
        elif isinstance(node, yaml.SequenceNode):
            left += node.value
    return counted
