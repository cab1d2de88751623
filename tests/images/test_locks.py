"""The locks: every file by its hash, versions of constraints.txt, the same for both variants."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = {path.name: path.read_text() for path in (ROOT / "images/locks").glob("*.txt")}
ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
TRAINING = {"imbalanced-learn", "kfp", "lightgbm", "mlflow", "optuna", "scikit-learn", "torch", "xgboost-cpu"}
CUDA_ONLY = re.compile(r"^(nvidia|cuda|triton)\b")


def pins(name: str) -> dict[str, str]:
    return {package: version for package, version, _ in ENTRY.findall(LOCKS[name])}


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def pipeline(variant: str) -> dict[str, str]:
    return pins("pipeline.txt") | pins(f"torch-{variant}.txt")


def test_there_is_a_lock_for_each_image_and_variant():
    assert set(LOCKS) == {"build.txt", "pipeline.txt", "predictor.txt", "torch-cpu.txt", "torch-cuda.txt"}


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_every_line_is_a_pin_with_its_hashes_and_the_index_is_named(name):
    body = [line for line in LOCKS[name].splitlines() if not line.startswith("#")]
    assert body == "\n".join(match.group() for match in ENTRY.finditer(LOCKS[name])).splitlines()
    assert len(re.findall(r"^# index: https://\S+$", LOCKS[name], re.MULTILINE)) == 1


def test_only_the_cpu_build_of_torch_comes_from_an_index_of_its_own():
    index = {name: re.search(r"^# index: (\S+)$", text, re.MULTILINE)[1] for name, text in LOCKS.items()}
    assert index.pop("torch-cpu.txt") == "https://download.pytorch.org/whl/cpu"
    assert set(index.values()) == {"https://pypi.org/simple"}


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_versions_are_those_of_constraints(name):
    known = constraints()
    mine = {package for package in pins(name) if not (name == "torch-cuda.txt" and CUDA_ONLY.match(package))}
    assert {package: Version(pins(name)[package]).public for package in mine} == {
        package: Version(known[package]).public for package in mine
    }, "run `make lock`"


def test_the_variants_differ_in_torch_alone():
    assert not pins("pipeline.txt").keys() & (pins("torch-cpu.txt").keys() | pins("torch-cuda.txt").keys())
    assert pins("torch-cpu.txt") == {"torch": f"{constraints()['torch']}+cpu"}
    others = pins("torch-cuda.txt").keys() - {"torch"}
    assert others and all(CUDA_ONLY.match(package) for package in others)


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_pipeline_holds_what_the_project_needs_on_a_cluster(variant):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        canonicalize_name(Requirement(line).name)
        for line in [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    }
    assert wanted - pipeline(variant).keys() == set(), "run `make lock`"
    assert "psycopg-binary" in pipeline(variant)


def test_the_predictor_holds_what_it_asks_for_and_no_training_library():
    asked = (ROOT / "images/predictor/requirements.txt").read_text().splitlines()
    wanted = {canonicalize_name(line) for line in asked if not line.startswith("#")}
    assert wanted - pins("predictor.txt").keys() == set(), "run `make lock`"
    assert TRAINING & pins("predictor.txt").keys() == set()
    assert TRAINING - pipeline("cpu").keys() == set(), "the list above is of names that exist"


def test_what_builds_the_project_is_locked_too():
    system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]
    assert {Requirement(line).name for line in system["requires"]} == pins("build.txt").keys()
