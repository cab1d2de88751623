"""Who imports whom, what the predictor does without, and that every dependency is pinned."""

import re
import resource
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions, requires
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


def closure(names: set[str]) -> set[str]:
    """Distributions and, without extras, all that they require."""
    found: set[str] = set()
    while names:
        found |= names
        lines = [line for name in names for line in requires(name) or [] if "extra ==" not in line]
        names = requirements([line for line in lines if installed(line)]) - found
    return found


def installed(requirement: str) -> bool:
    return requirements([requirement]) <= {normal(str(found.metadata["Name"])) for found in distributions()}


def test_serving_works_with_nothing_but_the_predictors_requirements():
    held = closure(requirements((ROOT / "images/predictor/requirements.txt").read_text().splitlines()))
    held |= {"minorkey", "pip", "setuptools"}
    absent = sorted(
        module
        for module, names in packages_distributions().items()
        if not any(normal(name) in held for name in names)
    )
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import minorkey.cli, minorkey.serving.process, minorkey.serving.server
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {"torch", "sklearn", "pyarrow", "mlflow", "kfp"} <= set(absent)


def test_the_command_line_starts_without_what_is_heavy():
    heavy = TRAINING | {"pandas", "numpy", "kfp", "onnxruntime", "httpx"}
    assert imported("import minorkey.cli") & heavy == set()


def test_help_costs_little():
    command = [sys.executable, "-m", "minorkey", "--help"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # CPU seconds: what else the machine does hardly changes them.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2.5


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
