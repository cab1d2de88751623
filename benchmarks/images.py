"""Sizes of the images as a registry holds them, and how soon a trial pod's first trial begins.

    make test-containers && python -m benchmarks.images

Needs root and podman, and the images that `.ci/images` builds. A size is the sum of the layers'
compressed sizes in the manifest, gzip as registries use it. A start is the time from `podman run`
until a pod's first task has imported what a trial needs, the image being on the machine already.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.recording import record
from minorkey.trials.executor import Task
from minorkey.trials.kubernetes.channel import Channel, Slot
from minorkey.trials.study_root import LocalStudyRoot

MB = 1_000_000
LIMITS_MB = {"pipeline": 1_500, "predictor": 400}
IMAGE = "localhost/minorkey-{}:python3.11"
STARTS = 5

FIRST_TRIAL = """
import time

def begin(report, *, threads):
    import minorkey.trials.tasks
    return {"at": time.time()}
"""


def sizes(name: str) -> dict[str, Any]:
    """Sizes of an image in MB."""
    image = IMAGE.format(name)
    with tempfile.TemporaryDirectory(prefix="minorkey-image-") as folder:
        command = ["podman", "push", "--quiet", "--compress", image, f"dir:{folder}"]
        subprocess.run(command, check=True)
        layers = json.loads(Path(folder, "manifest.json").read_text())["layers"]
    shown = ["podman", "image", "inspect", "--format={{.Size}}", image]
    unpacked = int(subprocess.run(shown, check=True, capture_output=True, text=True).stdout)
    compressed = sum(layer["size"] for layer in layers)
    return {
        "compressed_mb": round(compressed / MB, 1),
        "limit_mb": LIMITS_MB[name],
        "layers_mb": [round(layer["size"] / MB, 1) for layer in layers],
        "unpacked_mb": round(unpacked / MB, 1),
    }


def start_seconds() -> float:
    """Seconds from starting a trial pod's container until its first trial begins."""
    with tempfile.TemporaryDirectory(prefix="minorkey-start-") as folder:
        root, given = Path(folder, "study"), Path(folder, "given")
        given.mkdir()
        (given / "first_trial.py").write_text(FIRST_TRIAL)
        channel, slot = Channel(LocalStudyRoot(root)), Slot("mk-benchmark-0", 1, "0" * 16, 0)
        channel.beat(time.time())
        channel.assign(slot, Task("first", "first_trial:begin"))
        command = ["podman", "--runtime=runc", "run", "--rm", "--network=none", "--read-only"]
        command += ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024", f"--user={os.getuid()}"]
        command += [f"--volume={root}:/study", f"--volume={given}:/given:ro", "--env=PYTHONPATH=/given"]
        command += ["--env=MINORKEY_STUDY_ROOT=/study", IMAGE.format("pipeline")]
        command += ["python3", "-m", "minorkey.trials.kubernetes.pod", "--job", slot.job]
        began = time.time()
        subprocess.run(command, check=True)
        ended = channel.ended(slot)
        if ended is None or "at" not in ended.content:
            raise SystemExit(f"the first trial did not run: {ended}")
        return ended.content["at"] - began


def main() -> None:
    started = time.monotonic()
    images = {name: sizes(name) for name in LIMITS_MB}
    starts = [start_seconds() for _ in range(STARTS)]
    result = {
        "images": images,
        "start_to_first_trial_seconds": {
            "median": round(statistics.median(starts), 2),
            "all": [round(seconds, 2) for seconds in starts],
        },
    }
    record("images", result, started=started)
    if over := [name for name, image in images.items() if image["compressed_mb"] >= image["limit_mb"]]:
        raise SystemExit(f"too large: {', '.join(over)}")


if __name__ == "__main__":
    main()
