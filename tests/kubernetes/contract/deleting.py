"""Deleting Jobs, and changing what somebody else has changed."""

from tests.kubernetes.contract.jobs import OBEDIENT, JobContract
from tests.kubernetes.site import Site, refused


class DeletingContract:
    def test_in_the_background_the_pods_go_with_their_job(self, site: Site) -> None:
        site.start("background", OBEDIENT)
        site.pod("background", "Running")
        site.delete("background")
        refused(404, site.batch.read_namespaced_job, "background", site.namespace)
        site.wait(lambda: not site.pods("background"))

    def test_unless_told_otherwise_the_pods_stay(self, site: Site) -> None:
        site.start("orphans", "pass")
        site.ended("orphans", "Complete")
        site.delete("orphans", policy=None)
        site.wait(lambda: "orphans" not in JobContract.job_names(site))
        (pod,) = site.pods("orphans")
        assert not pod.metadata.owner_references

    def test_in_the_foreground_the_job_stays_until_its_pods_are_gone(self, site: Site) -> None:
        site.start("foreground", OBEDIENT)
        site.pod("foreground", "Running")
        site.delete("foreground", "Foreground")
        site.wait(lambda: "foreground" not in JobContract.job_names(site))
        assert site.pods("foreground") == []

    def test_what_was_deleted_cannot_be_deleted_again(self, site: Site) -> None:
        site.start("gone", "pass", suspend=True)
        site.delete("gone")
        site.wait(lambda: "gone" not in JobContract.job_names(site))
        assert refused(404, site.delete, "gone")["reason"] == "NotFound"

    def test_a_name_is_free_again_after_its_job_is_gone(self, site: Site) -> None:
        first = site.start("again", "pass", suspend=True)
        site.delete("again")
        site.wait(lambda: "again" not in JobContract.job_names(site))
        assert site.start("again", "pass", suspend=True).metadata.uid != first.metadata.uid

    def test_a_delete_can_be_meant_for_one_object_only(self, site: Site) -> None:
        site.start("precise", "pass", suspend=True)
        body = {
            "propagationPolicy": "Background",
            "preconditions": {"uid": "00000000-0000-0000-0000-000000000000"},
        }
        told = refused(409, site.batch.delete_namespaced_job, "precise", site.namespace, body=body)
        assert told["reason"] == "Conflict"

    def test_many_are_deleted_by_their_labels(self, site: Site) -> None:
        for name in ("many-1", "many-2", "few"):
            job = site.job(name, "pass", suspend=True)
            job["metadata"]["labels"] = {"many": str(name.startswith("many")).lower()}
            site.batch.create_namespaced_job(site.namespace, job)
        site.batch.delete_collection_namespaced_job(
            site.namespace, label_selector="many=true", propagation_policy="Background"
        )
        site.wait(lambda: not {"many-1", "many-2"} & JobContract.job_names(site))
        assert "few" in JobContract.job_names(site)

    def test_a_change_of_an_older_version_is_a_conflict(self, site: Site) -> None:
        made = site.core.create_namespaced_config_map(site.namespace, {"metadata": {"name": "raced"}})
        site.core.patch_namespaced_config_map("raced", site.namespace, {"data": {"a": "1"}})
        made.data = {"a": "2"}
        assert (
            refused(409, site.core.replace_namespaced_config_map, "raced", site.namespace, made)["reason"]
            == "Conflict"
        )
        found = site.core.read_namespaced_config_map("raced", site.namespace)
        assert found.data == {"a": "1"} and found.metadata.resource_version != made.metadata.resource_version

    def test_a_jobs_template_cannot_be_changed(self, site: Site) -> None:
        site.start("fixed", OBEDIENT)
        change = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "other:1"}]}}}}
        assert (
            refused(422, site.batch.patch_namespaced_job, "fixed", site.namespace, change)["reason"]
            == "Invalid"
        )
        site.delete("fixed")
