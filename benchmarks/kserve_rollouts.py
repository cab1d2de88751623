"""Rollouts on KServe that go wrong: bad versions, and steps killed in the middle, while customers ask.

    python -m benchmarks.kserve_rollouts [--rollouts 200] [--requests 100000] [--seed 0]

A fake KServe runs real predictors; the deploy step is a process of its own, and a kill is SIGKILL. Every
second rollout is of a bad version, the others are killed at a random moment, and then run again or given up;
a rollout that ended before its kill is none of the number, and another takes its place. Counted are the
requests that failed, and the answers that a bad version gave.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.recording import record
from minorkey.bundle.bundle import Bundle
from minorkey.cluster.spec import ClusterSpec
from minorkey.deployment import Release
from minorkey.deployment.kserve import KServeTarget
from minorkey.errors import MinorkeyError, StateError
from minorkey.spec import CanarySpec
from tests.deployment.kserve.fake import FakeKServe, Sabotage
from tests.deployment.kserve.place import Customers, Model, again, cluster_spec, shifted
from tests.serving.bundles import small_bundle

LIMITS = CanarySpec(percent=30, requests=50, minutes=0.02, max_p99_seconds=5.0)
#: What is wrong with a bad version.
BAD = ("errors", "crash", "scores", "unreadable", "altered")
_REFUSED = 2


@dataclass(frozen=True)
class Alias:
    """The alias ``champion`` in a file, for a step that is another process."""

    path: Path

    def read(self) -> str:
        """The version that it points to, "" for none."""
        return self.path.read_text() if self.path.exists() else ""

    def require(self, model: str, version: str, *, expected: str) -> str:
        """See `minorkey.registry.require_champion`."""
        current = self.read()
        if current not in (version, expected):
            raise StateError("the champion changed", key=model, value=current)
        return current

    def move(self, model: str, version: str, *, expected: str) -> None:
        """See `minorkey.registry.move_champion`."""
        self.require(model, version, expected=expected)
        aside = self.path.with_suffix(".partial")
        aside.write_text(version)
        aside.replace(self.path)


@dataclass(frozen=True)
class Step:
    """A deploy step that is to run in a process of its own."""

    spec: str
    kubeconfig: Path
    alias: Alias
    version: str
    bundle: Path
    uri: str
    expected: str

    def run(self) -> None:
        """Deploy; ends with 2 where the version is refused."""
        os.environ["MINORKEY_EVENTS"] = os.devnull
        target = KServeTarget(
            ClusterSpec.model_validate_json(self.spec),
            LIMITS,
            self.kubeconfig,
            poll=0.05,
            tried=15,
            move=self.alias.move,
            require=self.alias.require,
        )
        bundle = Bundle.load(self.bundle)
        try:
            target.deploy(Release("cards", self.version, bundle, self.uri, self.expected))
        except MinorkeyError as error:
            (self.alias.path.parent / "last_error").write_text(str(error))
            os._exit(_REFUSED)
        os._exit(0)


class Rollouts:
    """One model, many versions."""

    def __init__(self, folder: Path, fake: FakeKServe, seed: int) -> None:
        self._random = random.Random(seed)
        self._folder = folder
        self._fake = fake
        self._spec = cluster_spec(folder / "volume", min_replicas=1, start_seconds=16)
        self.alias = Alias(folder / "champion")
        self.model = Model(fake, self._spec)
        self._first = small_bundle(folder / "first")
        self._worse = shifted(self._first, folder / "worse")
        self._context = multiprocessing.get_context("forkserver")
        # What a step imports is imported once: a step begins within milliseconds.
        self._context.set_forkserver_preload(
            ["benchmarks.kserve_rollouts", "minorkey.registry", "onnxruntime"]
        )
        #: Of the last good rollouts that came to their end.
        self._seconds: deque[float] = deque(maxlen=3)
        self.bad: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self._number = 0

    def start(self) -> None:
        """The first version serves."""
        assert self._run(self._version("good")) == 0
        for _ in range(3):
            began = time.monotonic()
            assert self._run(self._version("good")) == 0
            self._seconds.append(time.monotonic() - began)

    def one(self, number: int) -> None:
        """One rollout that goes wrong."""
        if number % 2 == 0:
            self._bad(self._random.choice(BAD))
        else:
            self._killed()

    def _bad(self, kind: str) -> None:
        step = self._version(kind)
        self._require_end(step, False, self._run(step))
        self.outcomes[f"bad: {kind}"] += 1

    def _killed(self) -> None:
        """One rollout that is killed, after as many that end before their kill as it takes."""
        while True:
            good = self._random.random() < 0.6
            step = self._version("good" if good else self._random.choice(BAD))
            began = time.monotonic()
            code = self._run(step, kill_after=self._random.uniform(0.0, max(self._seconds)))
            if code == -signal.SIGKILL:
                break
            self._require_end(step, good, code)
            self._ended(good, time.monotonic() - began)
        self.outcomes["killed"] += 1
        if self._random.random() < 0.5:
            self.outcomes["killed, then given up"] += 1
            return
        self._require_end(step, good, self._run(step))
        self.outcomes["killed, then went on" if good else "killed, then went back"] += 1

    def _require_end(self, step: Step, good: bool, code: int) -> None:
        """A step that came to its end left the good version, or the one before a bad one."""
        expected = 0 if good else _REFUSED
        assert code == expected, f"version {step.version} ended with {code} instead of {expected}"
        assert self.alias.read() == (step.version if good else step.expected) == self.model.served()

    def _ended(self, good: bool, seconds: float) -> None:
        """How long rollouts take follows the machine's other work, and so do the moments of kills."""
        self.outcomes["ended before the kill"] += 1
        if good:
            self._seconds.append(seconds)

    def _version(self, kind: str) -> Step:
        """A new version, good or bad."""
        self._number += 1
        number = str(self._number)
        source = self._worse if kind == "scores" else self._first
        bundle = again(source, self._folder / "made", number)
        place = self._folder / "volume" / bundle.digest
        shutil.copytree(bundle.folder, place)
        kept = self._folder / "kept" / bundle.digest
        shutil.move(bundle.folder, kept)
        uri = str(place)
        if kind == "unreadable":
            shutil.rmtree(place)
        elif kind == "altered":
            (place / "model.onnx").write_bytes((place / "model.onnx").read_bytes() + b" ")
        elif kind in ("errors", "crash"):
            self._fake.sabotage[bundle.digest] = Sabotage(kind)
        if kind != "good":
            self.bad.add(number)
        self.model.bundles[number] = Bundle.load(kept)
        kubeconfig = self._fake.cluster.kubeconfig
        return Step(self._spec.canonical(), kubeconfig, self.alias, number, kept, uri, self.alias.read())

    def _run(self, step: Step, kill_after: float | None = None) -> int:
        process = self._context.Process(target=step.run)
        process.start()
        process.join(kill_after)
        if process.is_alive() and kill_after is not None:
            process.kill()
        process.join(600)
        assert process.exitcode is not None, "a step did not end"
        return process.exitcode


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rollouts", type=int, default=200)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    os.environ["MINORKEY_EVENTS"] = os.devnull
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        result = measure(Path(name), asked.rollouts, asked.requests, asked.seed)
    record("kserve_rollouts", result, started=started)


def measure(folder: Path, rollouts: int, requests: int, seed: int) -> dict[str, Any]:
    """Roll out so many versions, and ask so many times meanwhile."""
    for part in ("volume", "kept"):
        (folder / part).mkdir()
    with FakeKServe(folder / "volume", drain=0.5, seed=seed) as fake:
        tried = Rollouts(folder, fake, seed)
        tried.start()
        customers = Customers(tried.model, pause=0.002)
        with customers.asking(threads=2):
            for number in range(rollouts):
                tried.one(number)
                if number % 10 == 9:
                    print(f"{number + 1} rollouts, {customers.asked:,} requests", flush=True)
            while customers.asked < requests:
                time.sleep(0.2)
    answers = customers.answers
    return {
        "rollouts": rollouts,
        "outcomes": dict(sorted(tried.outcomes.items())),
        "requests": customers.asked,
        "failed": len(customers.failures),
        "failures": customers.failures[:5],
        "answers_of_bad_versions": sum(count for version, count in answers.items() if version in tried.bad),
        "versions_that_answered": len(answers),
    }


if __name__ == "__main__":
    # Steps are processes of their own: what they are handed has to be importable by its own name, and none of
    # them is to run this module as its main one.
    from benchmarks import kserve_rollouts

    sys.modules["__main__"].__spec__ = None
    del sys.modules["__main__"].__file__

    kserve_rollouts.main()
