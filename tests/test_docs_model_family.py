"""Follows docs/how-to/add-a-model-family.md: the family that it shows is written, registered and tried."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from minorkey import models
from minorkey.models.family import Facts
from minorkey.models.portfolio import portfolio
from tests.models.family_contract import CHECKS

DOCUMENT = Path(__file__).parents[1] / "docs" / "how-to" / "add-a-model-family.md"
MODULE = "minorkey.models.decision_tree"


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The family of the document, registered for the length of this module's tests."""
    source, registration = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path_factory.mktemp("family") / "decision_tree.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, MODULE, module)
        spec.loader.exec_module(module)
        names: dict[str, type] = {}
        exec(registration, names)
        family = names["DecisionTree"]()
        patch.setitem(models.FAMILIES, family.name, family)
        yield family


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_the_documented_family_keeps_the_contract(documented, check):
    check(documented)


def test_the_documented_family_is_found_by_name_and_enters_the_portfolio(documented):
    assert models.family("decision_tree") is documented
    chosen = portfolio(Facts(rows=1_000, positives=50, numeric=4, categorical=1), models.FAMILIES)
    assert chosen[-1].family == "decision_tree"


def test_the_document_names_what_exists():
    text = DOCUMENT.read_text(encoding="utf-8")
    root = DOCUMENT.parents[2]
    for path in re.findall(r"`((?:src|tests)/[\w/]+\.py)`", text):
        assert (root / path).exists() or path.endswith("/decision_tree.py"), path
    assert "`_ALL`" in text
    assert "_ALL: tuple[ModelFamily, ...]" in (root / "src/minorkey/models/__init__.py").read_text()
