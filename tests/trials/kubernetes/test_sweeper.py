import subprocess
import sys
import time
from pathlib import Path

import pytest

from minorkey.errors import InputError, StateError
from minorkey.trials.kubernetes.channel import Channel
from minorkey.trials.kubernetes.jobs import STUDY_LABEL
from minorkey.trials.kubernetes.sweeper import sweep
from minorkey.trials.study_root import LocalStudyRoot, StudyRoot
from tests.trials.executor_contract import call
from tests.trials.kubernetes.stage import Stage


def here(stage: Stage, location: str) -> StudyRoot:
    """The study root that pods see at a location, from outside the cluster."""
    return LocalStudyRoot(stage.volume / location.removeprefix("/study/"))


def leave(stage: Stage, study: str) -> str:
    """A Job that cannot run, of a driver that was killed; gives its name."""
    executor = stage.executor(study, timing=stage.slow(), service_account="nobody", closes=False)
    executor.submit(call("hang"))
    supervision, executor._supervision = executor._supervision, None
    assert supervision is not None
    supervision.close()
    (name,) = (
        job["metadata"]["name"]
        for job in stage.jobs()
        if job["metadata"]["labels"][STUDY_LABEL] == executor.study
    )
    return name


def test_jobs_without_a_driver_go_and_others_stay(stage: Stage) -> None:
    dead, alive = leave(stage, "dead"), leave(stage, "alive")
    time.sleep(2.1)
    Channel(stage.root("alive")).beat(time.time() + 5.0)

    def swept(**options: bool) -> list[str]:
        return sweep(
            stage.api(),
            stage.namespace,
            patience=1.0,
            open_study=lambda location: here(stage, location),
            **options,
        )

    assert swept(dry_run=True) == [dead] and len(stage.jobs()) == 2
    assert swept() == [dead]
    assert [job["metadata"]["name"] for job in stage.jobs()] == [alive]
    assert swept() == []


def test_a_young_job_stays(stage: Stage) -> None:
    leave(stage, "young")
    found = sweep(
        stage.api(), stage.namespace, patience=3_600.0, open_study=lambda location: here(stage, location)
    )
    assert found == []


def test_a_job_whose_study_root_cannot_be_read_stays_until_it_is_old(stage: Stage) -> None:
    name = leave(stage, "hidden")

    def closed(location: str) -> StudyRoot:
        raise StateError("closed", key=location)

    assert sweep(stage.api(), stage.namespace, patience=0.0, open_study=closed) == []
    assert sweep(stage.api(), stage.namespace, patience=0.0, age=-1.0, open_study=closed) == [name]


def test_no_permission_is_told(stage: Stage) -> None:
    token = stage.cluster.token(stage.namespace, "minorkey-trial")
    kubeconfig = stage.cluster.kubeconfig_with(token, stage.namespace)
    with pytest.raises(InputError) as caught:
        sweep(stage.api(kubeconfig), stage.namespace)
    assert "may not list jobs.batch" in caught.value.problem


def test_the_command(stage: Stage) -> None:
    name = leave(stage, "left")
    words = ["--namespace", stage.namespace, "--kubeconfig", str(stage.cluster.kubeconfig), "--age", "-1"]
    command = [sys.executable, "-m", "minorkey.trials.kubernetes.sweeper", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    assert name in done.stdout.split() and stage.jobs() == []
