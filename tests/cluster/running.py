"""Drivers of studies as processes that can be killed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster.study_place import StudyPlace

__all__ = ["Driver"]


class Driver:
    """One driver of the study of a place, as long as the ``with`` block lasts.

    Args:
        folder: of its own: prepared folds, events, what it says.
    """

    def __init__(self, place: StudyPlace, folder: Path, *, trials: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.events_file = folder / "events.jsonl"
        asked = {
            "root": place.root,
            "pod_root": place.pod_root,
            "pods": place.pods.model_dump(mode="json"),
            "namespace": place.site.namespace,
            "image": place.image,
            "kubeconfig": str(place.kubeconfig),
            "folds": str(folder / "folds"),
            "trials": trials,
        }
        environment = {
            **os.environ,
            "MINORKEY_EVENTS": str(self.events_file),
            "MINORKEY_HOME": str(folder / "home"),
        }
        self._out = folder / "out"
        self._errors = folder / "errors"
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster.driver"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=errors,
                env=environment,
            )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asked).encode())
        self.process.stdin.close()

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def results(self) -> list[dict[str, Any]]:
        """Trials that have ended, as this driver told them."""
        *lines, _ = self._out.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def events(self) -> list[dict[str, Any]]:
        """Progress events so far."""
        if not self.events_file.exists():
            return []
        *lines, _ = self.events_file.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def alive(self) -> bool:
        """Whether it runs.

        Raises:
            AssertionError: it has failed, with its last words.
        """
        code = self.process.poll()
        assert code in (None, 0), f"the driver ended with {code}: {self._errors.read_text()[-4_000:]}"
        return code is None

    def finish(self, seconds: float) -> list[dict[str, Any]]:
        """Its results, once it is done."""
        self.process.wait(timeout=seconds)
        self.alive()
        return self.results()
