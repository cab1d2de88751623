"""What the images promise a cluster: labels, a plain user, a read-only root, nothing that is not locked."""

import json
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from tests.containers.podman import PIPELINE, PREDICTOR, inspect, once, shared

pytestmark = [pytest.mark.container, pytest.mark.timeout(600)]

IMAGES = pytest.mark.parametrize("image", [PIPELINE, PREDICTOR])
ROOT = Path(__file__).parents[2]


@IMAGES
def test_labels_say_what_it_is_and_from_what_it_was_built(image):
    labels = inspect(image)["Labels"]
    assert labels["org.opencontainers.image.title"] in image
    assert labels["org.opencontainers.image.version"] == version("minorkey")
    assert re.fullmatch("[0-9a-f]{40}", labels["org.opencontainers.image.revision"])
    assert re.search("@sha256:[0-9a-f]{64}$", labels["org.opencontainers.image.base.name"])


@IMAGES
def test_the_user_is_a_number_and_not_root(image):
    user, _, group = inspect(image)["User"].partition(":")
    assert int(user) > 0 and int(group) > 0


@IMAGES
def test_it_holds_the_locked_versions_and_nothing_else(image):
    code = "import importlib.metadata as m, json; "
    code += "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = once(image, "-c", code, options=["--entrypoint=python3"])
    assert done.returncode == 0, done.stderr
    held = {re.sub(r"[-_.]+", "-", name).lower(): number for name, number in json.loads(done.stdout).items()}
    locks = ["predictor.txt"] if image == PREDICTOR else ["build.txt", "pipeline.txt", "torch-cpu.txt"]
    text = "\n".join((ROOT / "images/locks" / lock).read_text() for lock in locks)
    assert held.pop("minorkey") == version("minorkey")
    assert held == dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


@IMAGES
def test_bytecode_is_there_and_fresh_so_that_a_start_compiles_nothing(image):
    code = (
        "import importlib.util, minorkey, numpy, pandas, pathlib\n"
        "for module in (minorkey, numpy, pandas):\n"
        "    cached = pathlib.Path(importlib.util.cache_from_source(module.__file__)).read_bytes()\n"
        "    written = int.from_bytes(cached[8:12], 'little')\n"
        "    assert written == int(pathlib.Path(module.__file__).stat().st_mtime), module\n"
    )
    done = once(image, "-c", code, options=["--entrypoint=python3"])
    assert done.returncode == 0, done.stderr


def test_a_whole_run_needs_no_network_and_writes_to_its_home_and_tmp_alone(tmp_path):
    home = shared(tmp_path / "home")
    spec = {
        "model": "contained",
        "data": {"options": {"rows": 4_000, "days": 28, "fraud_share": 0.03}},
        "split": {"folds": 2},
        "search": {"trials": 2, "workers": 1, "finalists": 1, "families": ["logistic_regression"]},
        "evaluate": {"bootstraps": 100},
        "deploy": {"target": "none"},
    }
    (home / "spec.yaml").write_text(yaml.safe_dump(spec))
    done = once(
        PIPELINE,
        *("minorkey", "run", "/var/lib/minorkey/spec.yaml", "--out", "/var/lib/minorkey/out"),
        options=[f"--volume={home}:/var/lib/minorkey"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((home / "out/result.json").read_text())
    assert 0 < result["metrics"]["test"]["average_precision"]["value"] <= 1
    assert (home / "out/report.html").stat().st_uid == int(inspect(PIPELINE)["User"].partition(":")[0])


def test_without_its_home_a_run_says_that_the_folder_cannot_be_written():
    done = once(PIPELINE, "minorkey", "run", "--out", "/var/lib/minorkey/out")
    assert done.returncode == 2
    assert "/var/lib/minorkey/out" in done.stderr and "Traceback" not in done.stderr
