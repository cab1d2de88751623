"""What documents promise: nothing unnamed, no dead link, the examples work."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from minorkey.cli import app
from minorkey.cluster.spec import load_cluster_spec
from minorkey.schedules import load_schedules
from minorkey.spec import load_spec
from pipelines.targets import check

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
TEXT = "\n".join(page.read_text() for page in PAGES)
COMMANDS = [name for name in app if not name.startswith("-")]


def module_at(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["spec.md", "cluster.md", "schedules.md", "cli.md"])
def test_the_generated_reference_is_current(name):
    generate = module_at(ROOT / "docs/reference/generate.py")
    assert (ROOT / "docs/reference" / name).read_text() == generate.PAGES[name](), "run `make compile`"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert f"minorkey {command}" in TEXT


def test_every_environment_variable_is_documented():
    settings = (ROOT / "src/minorkey/settings.py").read_text()
    assert [
        name for name in re.findall(r'"((?:MINORKEY|MLFLOW)_[A-Z_]+)"', settings) if f"`{name}`" not in TEXT
    ] == []


def test_only_settings_read_the_environment():
    readers = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("src/minorkey/**/*.py")
        if re.search(r"os\.environ(\.get\(|\[)[^=]*$|os\.getenv", path.read_text(), re.MULTILINE)
    ]
    assert readers == ["src/minorkey/settings.py"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page):
    prose = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", prose)
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/*.yaml")), ids=lambda path: path.name)
def test_example_specifications_are_valid(path):
    assert load_spec(path).model != "minorkey"


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/cluster/*.yaml")), ids=lambda path: path.name)
def test_example_cluster_specifications_are_valid(path):
    assert load_cluster_spec(path).namespace


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/schedules/*.yaml")), ids=lambda path: path.name)
def test_example_schedules_are_valid(path):
    check(load_schedules(path))
