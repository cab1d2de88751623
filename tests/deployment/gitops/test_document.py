"""Values of a YAML file are replaced where they stand."""

import pytest
import yaml

from minorkey.deployment.gitops.document import Place, replaced, value_at
from minorkey.deployment.gitops.owned import Shipped, shipped, with_release
from minorkey.errors import StateError
from tests.deployment.gitops.server import manifest

DIGEST = Place("Thing", ("a", "digest"))
URI = Place("Thing", ("list", "name=x", "value"))


def thing(digest: str = "old", more: str = "") -> str:
    return f"kind: Thing\na:\n  digest: {digest}\nlist:\n- name: x\n  value: u\n- name: y\n  value: w\n{more}"


@pytest.mark.parametrize("digest", ["old", "'old'", '"old"', "old   # why", "", "~", "'it''s'", "12", "true"])
def test_only_the_value_is_another(digest: str) -> None:
    text = "# head\r\n" + thing(digest, "# tail\n---\nkind: Other\na: {digest: mine}\n")
    changed = replaced(text, {DIGEST: "1e'9\"", URI: "s3://b/é"}, file="f")
    first, second = yaml.safe_load_all(changed)
    assert first["a"]["digest"] == "1e'9\""
    assert first["list"] == [{"name": "x", "value": "s3://b/é"}, {"name": "y", "value": "w"}]
    assert second == {"kind": "Other", "a": {"digest": "mine"}}
    before, after = text.split("\n"), changed.split("\n")
    assert len(before) == len(after)
    assert [n for n, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == [3, 6]
    assert ("# why" in text) == ("# why" in changed)
    assert value_at(changed, DIGEST, file="f") == "1e'9\""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: Thing\na: [", "not valid YAML"),
        ("kind: Thing\na: {}\n", "lacks a value"),
        ("kind: Other\na: {digest: x}\n", "lacks a value"),
        (thing() + "---\n" + thing(), "more than once"),
        ("kind: Thing\na: {digest: x, digest: y}\n", "more than once"),
        ("kind: Thing\na: {digest: {x: y}}\n", "lacks a value"),
        ("kind: Thing\na: &a {digest: x}\nb: *a\n", "shared by an anchor"),
        ("kind: Thing\nb: &v x\na: {digest: *v}\n", "shared by an anchor"),
        ("kind: Thing\na: &a\n  b: *a\n  digest: &v x\n", "shared by an anchor"),
    ],
)
def test_what_cannot_be_told_apart_is_refused(text: str, told: str) -> None:
    with pytest.raises(StateError, match=told) as raised:
        value_at(text, DIGEST, file="models/x.yaml")
    assert raised.value.key == "models/x.yaml"


@pytest.mark.parametrize("digest", ["|\n    old\n", ">-\n    old", "&v old", "!!str old"])
def test_what_cannot_be_replaced_alone_is_refused(digest: str) -> None:
    with pytest.raises(StateError, match="replaced alone"):
        replaced(thing(digest), {DIGEST: "new"}, file="f")


def test_a_models_file_keeps_all_but_three_values() -> None:
    text = manifest("cards", "d1", "s3://b/d1", "1")
    assert shipped(text, "f") == Shipped("s3://b/d1", "d1", "1")
    changed = with_release(text, Shipped("s3://b/d2", "d2", "2"), "f")
    expected = text.replace("'d1'", "'d2'").replace("s3://b/d1", '"s3://b/d2"').replace("'1'", "'2'")
    assert changed == expected
    assert shipped(manifest(), "f") == Shipped("", "", "")
    with pytest.raises(StateError, match="do not belong together"):
        shipped(manifest("cards", "d1", "s3://b/d2", "1"), "f")
