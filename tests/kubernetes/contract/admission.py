"""What is refused on its way in."""

from tests.kubernetes.site import Site, refused


class AdmissionContract:
    def test_a_job_that_restarts_its_pod_for_ever_is_invalid(self, site: Site) -> None:
        body = refused(422, site.start, "restarts", "pass", pod={"restartPolicy": "Always"})
        assert body["reason"] == "Invalid" and "restartPolicy" in body["message"]

    def test_a_name_must_fit_a_label(self, site: Site) -> None:
        body = refused(422, site.start, "x" * 64, "pass")
        assert body["reason"] == "Invalid" and "63" in body["message"]

    def test_a_quantity_must_be_one(self, site: Site) -> None:
        container = {"resources": {"limits": {"cpu": "much"}}}
        refused(400, site.start, "quantity", "pass", container=container)

    def test_a_field_of_the_wrong_type_is_refused(self, site: Site) -> None:
        body = refused(400, site.start, "typed", "pass", backoffLimit="none")
        assert body["reason"] == "BadRequest" and "backoffLimit" in body["message"]

    def test_an_unknown_field_is_refused_when_asked_to_be_strict(self, site: Site) -> None:
        job = site.job("strict", "pass", retries=3)
        body = refused(400, site.batch.create_namespaced_job, site.namespace, job, field_validation="Strict")
        assert 'unknown field "spec.retries"' in body["message"]

    def test_there_is_no_job_without_its_namespace(self, site: Site) -> None:
        job = site.job("homeless", "pass")
        body = refused(404, site.batch.create_namespaced_job, "minorkey-test-absent", job)
        assert body["details"]["kind"] == "namespaces" and "minorkey-test-absent" in body["message"]

    def test_trying_out_a_create_makes_nothing(self, site: Site) -> None:
        site.batch.create_namespaced_job(site.namespace, site.job("tried", "pass"), dry_run="All")
        refused(404, site.batch.read_namespaced_job, "tried", site.namespace)

    def test_beyond_the_quota_of_jobs_a_create_is_refused(self, site: Site) -> None:
        with site.own_namespace("quota") as own:
            own.quota({"count/jobs.batch": "1"})
            own.start("first", "pass", suspend=True)
            body = refused(403, own.start, "second", "pass", suspend=True)
            assert body["reason"] == "Forbidden" and "exceeded quota: limits" in body["message"]
            assert "used: count/jobs.batch=1, limited: count/jobs.batch=1" in body["message"]

    def test_beyond_the_quota_of_pods_a_job_waits_and_then_runs(self, site: Site) -> None:
        with site.own_namespace("quota") as own:
            own.quota({"pods": "0"})
            own.start("waits", "pass")
            assert "exceeded quota: limits" in own.event("waits", "FailedCreate").message
            assert own.pods("waits") == []
            own.core.delete_namespaced_resource_quota("limits", own.namespace)
            own.ended("waits", "Complete")

    def test_a_quota_of_processors_counts_what_pods_ask_for(self, site: Site) -> None:
        with site.own_namespace("quota") as own:
            own.quota({"requests.cpu": "5m"})
            own.start("asks", "pass")
            message = own.event("asks", "FailedCreate").message
            assert "exceeded quota: limits, requested: requests.cpu=10m, used: requests.cpu=0" in message

    def test_a_pod_that_may_become_root_is_refused_by_pod_security(self, site: Site) -> None:
        site.start("rooted", "pass", container={"securityContext": {}})
        message = site.event("rooted", "FailedCreate").message
        assert 'violates PodSecurity "restricted:' in message and "runAsNonRoot != true" in message

    def test_a_folder_of_the_host_is_refused_by_pod_security(self, site: Site) -> None:
        volume = {"name": "host", "hostPath": {"path": "/"}}
        site.start("intrudes", "pass", pod={"volumes": [volume]})
        assert 'violates PodSecurity "restricted:' in site.event("intrudes", "FailedCreate").message

    def test_a_service_account_that_does_not_exist_is_told_in_an_event(self, site: Site) -> None:
        site.start("unknown-account", "pass", pod={"serviceAccountName": "absent"})
        assert 'serviceaccount "absent" not found' in site.event("unknown-account", "FailedCreate").message

    def test_a_priority_class_that_does_not_exist_is_told_in_an_event(self, site: Site) -> None:
        site.start("unknown-priority", "pass", pod={"priorityClassName": "absent"})
        message = site.event("unknown-priority", "FailedCreate").message
        assert "no PriorityClass with name absent was found" in message
