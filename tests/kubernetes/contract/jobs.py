"""How Jobs run and end."""

import pytest

from tests.kubernetes.site import Site, refused
from tests.kubernetes.watching import events

#: Says that it runs, and ends as a well-behaved program does when it is told to.
OBEDIENT = (
    "import signal,sys,time\n"
    "signal.signal(signal.SIGTERM, lambda *a: (print('told to end'), sys.exit(143)))\n"
    "print('ready')\n"
    "time.sleep(600)\n"
)
#: Has no handler for the signal that tells it to end.
DEAF = "import os,time; print('ready, process', os.getpid()); time.sleep(600)"
IGNORE_DISRUPTIONS = {
    "rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}]
}


class JobContract:
    def test_a_job_runs_its_pod_and_completes(self, site: Site) -> None:
        site.start("runs", "print('first'); print('second')")
        assert site.ended("runs", "Complete").status == "True"
        (pod,) = site.pods("runs")
        assert pod.status.phase == "Succeeded"
        ended = pod.status.container_statuses[0].state.terminated
        assert (ended.exit_code, ended.reason) == (0, "Completed")
        assert site.core.read_namespaced_pod_log(pod.metadata.name, site.namespace) == "first\nsecond\n"
        tail = site.core.read_namespaced_pod_log(pod.metadata.name, site.namespace, tail_lines=1)
        assert tail == "second\n"
        status = site.batch.read_namespaced_job("runs", site.namespace).status
        assert status.succeeded == 1 and not status.active and status.completion_time

    def test_a_repeated_create_is_refused_and_changes_nothing(self, site: Site) -> None:
        made = site.start("twice", "pass")
        body = refused(409, site.start, "twice", "print('other')")
        assert body["reason"] == "AlreadyExists" and body["details"]["name"] == "twice"
        assert site.batch.read_namespaced_job("twice", site.namespace).metadata.uid == made.metadata.uid
        site.ended("twice", "Complete")
        assert len(site.pods("twice")) == 1

    def test_pods_carry_the_labels_that_lead_to_their_job(self, site: Site) -> None:
        job = site.start("labels", "pass")
        pod = site.pod("labels", "Succeeded")
        labels = pod.metadata.labels
        assert labels["batch.kubernetes.io/job-name"] == labels["job-name"] == "labels"
        assert labels["batch.kubernetes.io/controller-uid"] == job.metadata.uid
        (owner,) = pod.metadata.owner_references
        assert (owner.kind, owner.name, owner.uid, owner.controller) == (
            "Job",
            "labels",
            job.metadata.uid,
            True,
        )

    def test_a_failing_pod_fails_the_job_with_its_exit_code_and_last_words(self, site: Site) -> None:
        site.start("fails", "import sys; print('out of luck', file=sys.stderr); sys.exit(7)")
        assert site.ended("fails", "Failed").reason == "BackoffLimitExceeded"
        (pod,) = site.pods("fails")
        ended = pod.status.container_statuses[0].state.terminated
        assert pod.status.phase == "Failed"
        assert (ended.exit_code, ended.reason, ended.message.strip()) == (7, "Error", "out of luck")

    def test_a_job_without_retries_makes_no_second_pod(self, site: Site) -> None:
        site.start("once", "raise SystemExit(1)")
        site.ended("once", "Failed")
        assert len(site.pods("once")) == 1
        assert site.batch.read_namespaced_job("once", site.namespace).status.failed == 1

    def test_over_its_deadline_the_job_fails_and_its_pod_is_deleted(self, site: Site) -> None:
        site.start("late", OBEDIENT, activeDeadlineSeconds=1)
        assert site.ended("late", "Failed").reason == "DeadlineExceeded"
        site.wait(lambda: not site.pods("late"))

    def test_over_its_memory_the_container_is_killed(self, site: Site) -> None:
        site.start("hoards", "held=[]\nwhile True: held.append(bytearray(b'x') * (8 << 20))")
        site.ended("hoards", "Failed")
        ended = site.pods("hoards")[0].status.container_statuses[0].state.terminated
        assert (ended.reason, ended.exit_code) == ("OOMKilled", 137)

    def test_the_exit_code_of_a_kill_alone_is_no_lack_of_memory(self, site: Site) -> None:
        site.start("killed", "raise SystemExit(128 + 9)")
        site.ended("killed", "Failed")
        ended = site.pods("killed")[0].status.container_statuses[0].state.terminated
        assert (ended.reason, ended.exit_code) == ("Error", 137)

    def test_a_deleted_pod_is_told_to_end_and_its_end_is_seen(self, site: Site) -> None:
        site.start("told", OBEDIENT)
        assert self.exit_code_once_deleted(site, "told") == 143

    def test_a_command_is_process_1_which_a_signal_without_a_handler_leaves_alone(self, site: Site) -> None:
        site.start("deaf", DEAF, pod={"terminationGracePeriodSeconds": 1})
        assert self.exit_code_once_deleted(site, "deaf") == 137

    def test_arguments_without_a_command_go_to_the_entry_point_of_the_image(self, site: Site) -> None:
        """Of minorkey's image that is tini, which is process 1 in their place."""
        arguments = [site.python, "-I", "-S", "-u", "-c", DEAF]
        site.start("reaped", "", container={"command": None, "args": arguments})
        pod = site.pod("reaped", "Running")
        self.wait_until_ready(site, pod.metadata.name)
        if site.core.read_namespaced_pod_log(pod.metadata.name, site.namespace) == "ready, process 1\n":
            site.delete("reaped")
            pytest.skip("the image has no entry point: what it runs is process 1")
        assert self.exit_code_once_deleted(site, "reaped") == 143

    def exit_code_once_deleted(self, site: Site, name: str) -> int:
        pod = site.pod(name, "Running")
        self.wait_until_ready(site, pod.metadata.name)
        version = pod.metadata.resource_version
        watch = events(site, "pods", resourceVersion=version, labelSelector=f"suite={name}")
        site.delete(name)
        (code,) = self.exit_codes(watch)
        return code

    def test_an_eviction_that_is_ignored_brings_another_pod(self, site: Site) -> None:
        site.start("evicted", OBEDIENT, podFailurePolicy=IGNORE_DISRUPTIONS)
        pod = site.pod("evicted", "Running")
        self.wait_until_ready(site, pod.metadata.name)
        version = pod.metadata.resource_version
        watch = events(site, "pods", resourceVersion=version, labelSelector="suite=evicted")
        eviction = {"metadata": {"name": pod.metadata.name, "namespace": site.namespace}}
        site.core.create_namespaced_pod_eviction(pod.metadata.name, site.namespace, eviction)
        seen = [event["object"] for event in self.up_to_deleted(watch, pod.metadata.name)]
        reasons = {
            (condition["reason"], condition["status"])
            for one in seen
            for condition in one["status"].get("conditions", ())
            if condition["type"] == "DisruptionTarget"
        }
        assert reasons == {("EvictionByEvictionAPI", "True")}
        assert seen[-1]["status"]["phase"] == "Failed"
        another = site.pod("evicted", "Running")
        assert another.metadata.uid != pod.metadata.uid
        assert not site.batch.read_namespaced_job("evicted", site.namespace).status.failed
        site.delete("evicted")

    def test_an_eviction_without_a_policy_fails_the_job(self, site: Site) -> None:
        site.start("counted", OBEDIENT)
        pod = site.pod("counted", "Running")
        self.wait_until_ready(site, pod.metadata.name)
        eviction = {"metadata": {"name": pod.metadata.name, "namespace": site.namespace}}
        site.core.create_namespaced_pod_eviction(pod.metadata.name, site.namespace, eviction)
        assert site.ended("counted", "Failed").reason == "BackoffLimitExceeded"

    def test_an_exit_code_can_fail_the_job_at_once(self, site: Site) -> None:
        rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
        site.start("fatal", "raise SystemExit(42)", backoffLimit=3, podFailurePolicy={"rules": [rule]})
        ended = site.ended("fatal", "Failed")
        assert ended.reason == "PodFailurePolicy" and "42" in ended.message
        assert len(site.pods("fatal")) == 1

    def test_a_finished_job_goes_after_its_time_to_live(self, site: Site) -> None:
        site.start("brief", "pass", ttlSecondsAfterFinished=0)
        site.wait(lambda: not site.pods("brief") and "brief" not in self.job_names(site))

    def test_a_suspended_job_has_no_pod_until_it_is_resumed(self, site: Site) -> None:
        site.start("held", "pass", suspend=True)

        def suspended() -> bool:
            status = site.batch.read_namespaced_job("held", site.namespace).status
            return any(one.type == "Suspended" and one.status == "True" for one in status.conditions or ())

        site.wait(suspended)
        assert site.pods("held") == []
        site.batch.patch_namespaced_job("held", site.namespace, {"spec": {"suspend": False}})
        site.ended("held", "Complete")

    @staticmethod
    def job_names(site: Site) -> set[str]:
        return {job.metadata.name for job in site.batch.list_namespaced_job(site.namespace).items}

    @staticmethod
    def wait_until_ready(site: Site, pod: str) -> None:
        site.wait(lambda: "ready" in site.core.read_namespaced_pod_log(pod, site.namespace))

    @staticmethod
    def up_to_deleted(watch: object, name: str) -> list[dict]:
        seen = []
        for event in watch:  # type: ignore[attr-defined]
            if event["object"]["metadata"]["name"] == name:
                seen.append(event)
                if event["type"] == "DELETED":
                    return seen
        raise AssertionError(f"{name} was never deleted")

    @staticmethod
    def exit_codes(watch: object) -> list[int]:
        for event in watch:  # type: ignore[attr-defined]
            states = [one["state"] for one in event["object"]["status"].get("containerStatuses", ())]
            codes = [state["terminated"]["exitCode"] for state in states if "terminated" in state]
            if codes:
                return codes
        raise AssertionError("the pod's end was never seen")
