"""Why a pod does not begin."""

from typing import Any

from tests.kubernetes.site import Site, refused


def _scheduled(site: Site, name: str) -> Any:
    def look() -> Any:
        for pod in site.pods(name):
            for condition in pod.status.conditions or ():
                if condition.type == "PodScheduled" and condition.status == "False":
                    return condition
        return None

    return site.wait(look)


class WaitingContract:
    def test_an_image_that_cannot_be_had(self, site: Site) -> None:
        site.start("no-image", "pass", container={"image": "registry.invalid/minorkey/absent:none"})
        told = site.waiting("no-image", "ErrImagePull", "ImagePullBackOff")
        assert told.message
        (pod,) = site.pods("no-image")
        assert pod.status.phase == "Pending"
        refused(400, site.core.read_namespaced_pod_log, pod.metadata.name, site.namespace)
        site.delete("no-image")

    def test_an_image_whose_name_cannot_be_read(self, site: Site) -> None:
        site.start("bad-image", "pass", container={"image": "Not An Image"})
        assert site.waiting("bad-image", "InvalidImageName")
        site.delete("bad-image")

    def test_an_image_that_must_be_there_and_is_not(self, site: Site) -> None:
        container = {"image": "registry.invalid/minorkey/absent:none", "imagePullPolicy": "Never"}
        site.start("never-pulled", "pass", container=container)
        assert site.waiting("never-pulled", "ErrImageNeverPull")
        site.delete("never-pulled")

    def test_a_command_that_does_not_exist(self, site: Site) -> None:
        site.start("no-command", "pass", container={"command": ["/absent/command"]})

        def told() -> str:
            """Some runtimes notice when they start the container, some when they make it."""
            for pod in site.pods("no-command"):
                for container in pod.status.container_statuses or ():
                    state = container.state.terminated or container.state.waiting
                    if state and state.reason in ("StartError", "RunContainerError", "CreateContainerError"):
                        return state.message
            return ""

        assert "/absent/command" in site.wait(told)
        site.delete("no-command")

    def test_more_accelerators_than_any_node_has(self, site: Site) -> None:
        resources = {"limits": {"nvidia.com/gpu": "1000", "memory": "64Mi"}}
        site.start("no-gpu", "pass", container={"resources": resources})
        told = _scheduled(site, "no-gpu")
        assert told.reason == "Unschedulable" and "Insufficient nvidia.com/gpu" in told.message
        assert (
            "Insufficient nvidia.com/gpu"
            in site.event(site.pods("no-gpu")[0].metadata.name, "FailedScheduling").message
        )
        site.delete("no-gpu")
        site.wait(lambda: not site.pods("no-gpu"))

    def test_a_node_selector_that_no_node_fits(self, site: Site) -> None:
        site.start("no-node", "pass", pod={"nodeSelector": {"minorkey.io/absent": "true"}})
        told = _scheduled(site, "no-node")
        assert told.reason == "Unschedulable" and "didn't match Pod's node affinity/selector" in told.message
        site.delete("no-node")

    def test_a_claim_that_does_not_exist(self, site: Site) -> None:
        volume = {"name": "study", "persistentVolumeClaim": {"claimName": "absent"}}
        site.start("no-claim", "pass", pod={"volumes": [volume]})
        told = _scheduled(site, "no-claim")
        assert 'persistentvolumeclaim "absent" not found' in told.message
        site.delete("no-claim")

    def test_a_secret_that_does_not_exist_yet(self, site: Site) -> None:
        container = {"envFrom": [{"secretRef": {"name": "late-secret"}}]}
        site.start("no-secret", "import os; print(os.environ['WORD'])", container=container)
        told = site.waiting("no-secret", "CreateContainerConfigError")
        assert 'secret "late-secret" not found' in told.message
        secret = {"metadata": {"name": "late-secret"}, "stringData": {"WORD": "hello"}}
        site.core.create_namespaced_secret(site.namespace, secret)
        site.ended("no-secret", "Complete")
        name = site.pods("no-secret")[0].metadata.name
        assert site.core.read_namespaced_pod_log(name, site.namespace) == "hello\n"

    def test_a_container_knows_its_pod(self, site: Site) -> None:
        fields = {"POD": "metadata.name", "SUITE": "metadata.labels['suite']"}
        env = [
            {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}} for name, path in fields.items()
        ]
        env.append({"name": "BOTH", "value": "$(POD)/$(SUITE)/$(ABSENT)"})
        site.start("knows", "import os; print(os.environ['BOTH'])", container={"env": env})
        site.ended("knows", "Complete")
        name = site.pods("knows")[0].metadata.name
        assert site.core.read_namespaced_pod_log(name, site.namespace) == f"{name}/knows/$(ABSENT)\n"
