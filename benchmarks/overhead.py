"""What a run of the main job costs besides training: seconds per step, and the non-training share.

    python -m benchmarks.overhead [--trials 32]

Training is the mean time that a worker spends in trials, and the fitting of finalists and of what
ships; the rest is reading, splitting, proposing, waiting, judging, registering and starting processes.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.recording import record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=32)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "run"
        started = time.monotonic()
        command = [sys.executable, "-m", "minorkey", "run", "--trials", str(asked.trials), "--out", str(out)]
        command += ["--quiet", "--set", "deploy.target=none"]
        subprocess.run(command, check=True, env={**os.environ, "MINORKEY_HOME": str(Path(name) / "home")})
        total = time.monotonic() - started
        steps = {step: timing["seconds"] for step, timing in _read(out / "result.json")["timings"].items()}
        study = _read(out / "study.json")
    workers = len(os.sched_getaffinity(0))
    training = sum(trial["seconds"] for trial in study["trials"]) / workers
    training += sum(part["seconds"]["select"] for part in study["parts"].values())
    record(
        "overhead",
        {
            "trials": asked.trials,
            "seconds": round(total, 1),
            "seconds_per_step": steps,
            "seconds_training": round(training, 1),
            "non_training_share": round(1 - training / total, 3),
        },
        started=started,
    )


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
