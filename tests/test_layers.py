"""Who imports whom, what the predictor does without, and that every dependency is pinned."""

import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TRAINING = {
    "sklearn",
    "lightgbm",
    "xgboost",
    "torch",
    "optuna",
    "imblearn",
    "mlflow",
    "skl2onnx",
    "matplotlib",
    "scipy",
}


def imported(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"{statement}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(lines: list[str]) -> set[str]:
    return {normal(re.split(r"[\s<>=!~\[;]", line)[0]) for line in lines if line and not line.startswith("#")}


def test_layers_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module", ["minorkey.serving.process", "minorkey.serving.server", "minorkey.cli.serve"]
)
def test_serving_imports_no_training_library(module):
    assert imported(f"import {module}") & TRAINING == set()


def test_the_predictor_image_holds_what_serving_imports_and_no_more_by_name():
    needed = requirements((ROOT / "images/predictor/requirements.txt").read_text().splitlines())
    direct = set()
    for name in imported("import minorkey.serving.process, minorkey.cli") & set(packages_distributions()):
        direct |= {normal(distribution) for distribution in packages_distributions()[name]}
    declared = requirements(pyproject()["dependencies"])
    assert (direct & declared) - needed == {"pyarrow"} & direct  # pandas imports it where it is
    assert needed <= declared


def test_the_command_line_starts_without_what_is_heavy():
    heavy = TRAINING | {"pandas", "numpy", "kfp", "onnxruntime", "httpx"}
    assert imported("import minorkey.cli") & heavy == set()


def test_help_answers_at_once():
    command = [sys.executable, "-m", "minorkey", "--help"]
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1.5


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_dependency_is_pinned():
    project = pyproject()
    named = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if line)
    assert requirements(named) - {normal(name) for name in pinned} == set()
    assert {"setuptools", "uv"} <= set(pinned)
