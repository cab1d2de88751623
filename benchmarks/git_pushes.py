"""Many processes push to one branch of a real Git repository at once: is an update lost, or made twice?

    python -m benchmarks.git_pushes [--pushes 200] [--models 20] [--seed 0]

Every pusher is a process that raises the number in its model's file by one and adds its name to the model's
list, upon whatever is there when the server takes it. Beside them people add comments to the same files from
clones of their own; a tenth more of pushers is killed at a random moment; and the server dies now and then
after it has taken a commit and before it says so. Afterwards the history is read: every update that was
reported as done has to be there once, every number has to be the length of its list, and every comment has
to stand.
"""

import argparse
import multiprocessing
import os
import random
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.recording import record
from minorkey.deployment.gitops.change import Change, Patience, commit_change
from minorkey.deployment.gitops.owned import Shipped, shipped, with_release
from minorkey.deployment.gitops.repository import Branch, Pushed, Repository, Tip

FORK = multiprocessing.get_context("fork")
PATIENCE = Patience(seconds=3_000.0)
FILE = """\
# comments of people
kind: InferenceService
spec:
  predictor:
    labels: {minorkey.io/version: "0"}
    annotations: {minorkey.io/digest: "0"}
    model: {storageUri: "s3://bundles/0"}   # minorkey's
"""
#: One answer in so many is lost.
LOST_ANSWERS = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pushes", type=int, default=200)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="minorkey-pushes-") as name:
        bare = created(Path(name), asked.models)
        result = storm(bare, asked.pushes, asked.models, random.Random(asked.seed))
    record("git_pushes", result, started=started)


def created(folder: Path, models: int) -> Path:
    """A bare repository with the models' files, whose server loses an answer now and then."""
    bare = folder / "models.git"
    git(folder, "init", "-q", "--bare", "--initial-branch=main", str(bare))
    clone = cloned(bare, folder / "first")
    for model in range(models):
        place = clone / "models" / str(model)
        place.mkdir(parents=True)
        (place / "inferenceservice.yaml").write_text(FILE)
        (place / "pushed").write_text("")
    git(clone, "add", ".")
    git(clone, "commit", "-q", "-m", "Begin")
    git(clone, "push", "-q", "origin", "main")
    hook = bare / "hooks" / "post-receive"
    lost = f"n=$(od -An -N2 -tu2 /dev/urandom); test $((n % {LOST_ANSWERS})) -ne 0"
    hook.write_text(f"#!/bin/sh\n{lost} || {{ echo x >> lost-answers; kill -9 $PPID; }}\n")
    hook.chmod(0o755)
    return bare


def storm(bare: Path, pushes: int, models: int, rng: random.Random) -> dict[str, Any]:
    """Everybody at once, and what came of it."""
    done: Any = FORK.Queue()
    go = FORK.Event()
    kills, people = pushes // 10, max(2, pushes // 40)
    names = [f"push-{number}" for number in range(pushes)]
    victims = [f"victim-{number}" for number in range(kills)]
    pushers = [
        FORK.Process(target=push, args=(bare, name, str(number % models), go, done))
        for number, name in enumerate(names + victims)
    ]
    editors = [
        FORK.Process(target=edit, args=(bare, f"person-{number}", models, go)) for number in range(people)
    ]
    for process in pushers + editors:
        process.start()
    began = time.monotonic()
    go.set()
    ends = sorted((began + rng.uniform(0, pushes / 4), process) for process in pushers[pushes:])
    for moment, process in ends:
        time.sleep(max(0.0, moment - time.monotonic()))
        process.kill()
    for process in pushers + editors:
        process.join()
    seconds = time.monotonic() - began
    tries = sorted(tried_by(done))
    lost = bare / "lost-answers"
    return {
        "pushes": pushes,
        "models": models,
        "seconds": round(seconds, 1),
        "tries_per_push": {
            "mean": round(sum(tries) / len(tries), 2),
            "median": tries[len(tries) // 2],
            "largest": tries[-1],
        },
        "failed": sum(process.exitcode != 0 for process in pushers[:pushes] + editors),
        "answers_lost": len(lost.read_text().split()) if lost.exists() else 0,
        **judged(bare, models, names, victims, people),
    }


def tried_by(done: Any) -> list[int]:
    """How often each pusher that has ended tried."""
    found = []
    while not done.empty():
        found.append(done.get())
    return found


def push(bare: Path, name: str, model: str, go: Any, done: Any) -> None:
    """Raise a model's number by one and add a name to its list, by one commit."""
    file, list_ = f"models/{model}/inferenceservice.yaml", f"models/{model}/pushed"
    tries = 0

    def make(branch: Branch, tip: Tip) -> Change | Pushed:
        nonlocal tries
        tries += 1
        text, pushed = tip.read(file) or "", tip.read(list_) or ""
        if name in pushed.split():
            return Pushed(tip.commit, branch.name)
        number = str(int(shipped(text, file).digest) + 1)
        changed = with_release(text, Shipped(f"s3://bundles/{number}", number, number), file)
        return Change({file: changed, list_: f"{pushed}{name}\n"}, f"{name}\n")

    go.wait()
    commit_change(Repository(f"file://{bare}"), "main", make, PATIENCE)
    done.put(tries)


def edit(bare: Path, name: str, models: int, go: Any) -> None:
    """Add a comment to every model's file, as people do: pull, change, commit, push, and again if refused."""
    clone = cloned(bare, bare.with_name(name))
    go.wait()
    for model in range(models):
        while True:
            git(clone, "fetch", "-q", "origin", "main")
            git(clone, "reset", "-q", "--hard", "origin/main")
            file = clone / "models" / str(model) / "inferenceservice.yaml"
            if f"# {name}\n" in file.read_text():
                break
            file.write_text(f"# {name}\n{file.read_text()}")
            git(clone, "commit", "-q", "-a", "-m", name)
            git(clone, "push", "-q", "origin", "main", check=False)
            time.sleep(random.uniform(0, 3))


def judged(bare: Path, models: int, names: list[str], victims: list[str], people: int) -> dict[str, Any]:
    """What the branch holds in the end."""
    lists, wrong, comments = [], 0, 0
    for model in range(models):
        text = git(bare, "show", f"main:models/{model}/inferenceservice.yaml")
        pushed = git(bare, "show", f"main:models/{model}/pushed").split()
        lists += pushed
        wrong += int(shipped(text, str(model)).digest) != len(pushed)
        comments += sum(f"# person-{number}\n" in text for number in range(people))
    git(bare, "fsck", "--strict")
    messages = git(bare, "log", "--format=%s", "main").split("\n")
    return {
        "lost_updates": len(set(names) - set(lists)),
        "updates_made_twice": len(lists) - len(set(lists)),
        "commits_without_an_update": sum(name not in lists for name in messages if name.startswith("push-")),
        "numbers_that_are_wrong": wrong,
        "killed": len(victims),
        "killed_and_yet_there": len(set(victims) & set(lists)),
        "comments_of_people": people * models,
        "comments_lost": people * models - comments,
        "commits": len(messages) - 1,
    }


def cloned(bare: Path, folder: Path) -> Path:
    git(bare.parent, "clone", "-q", str(bare), str(folder))
    return folder


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """git as people run it."""
    names = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    who = dict.fromkeys(names, "ada@example.org")
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if check and done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
