"""Tokens, roles and reviews."""

from kubernetes import client

from tests.kubernetes.site import Site, refused

_MAKES_JOBS = [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]}]


def _may(api: client.ApiClient, namespace: str, verb: str, group: str, resource: str) -> bool:
    attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
    review = {"spec": {"resourceAttributes": attributes}}
    return client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed


class AccessContract:
    def test_a_token_that_nobody_gave_out_is_refused(self, site: Site) -> None:
        batch = client.BatchV1Api(site.with_token("nonsense"))
        assert refused(401, batch.list_namespaced_job, site.namespace)["reason"] == "Unauthorized"

    def test_an_account_may_do_what_its_role_says_and_no_more(self, site: Site) -> None:
        api = site.account("maker", _MAKES_JOBS)
        batch, core = client.BatchV1Api(api), client.CoreV1Api(api)
        site.wait(lambda: _may(api, site.namespace, "create", "batch", "jobs"))
        batch.create_namespaced_job(site.namespace, site.job("permitted", "pass", suspend=True))
        body = refused(403, batch.delete_namespaced_job, "permitted", site.namespace)
        account = f"system:serviceaccount:{site.namespace}:maker"
        assert body["reason"] == "Forbidden"
        assert f'User "{account}" cannot delete resource "jobs" in API group "batch"' in body["message"]
        assert f'in the namespace "{site.namespace}"' in body["message"]
        refused(403, core.list_namespaced_pod, site.namespace)
        refused(403, core.list_namespaced_secret, site.namespace)
        refused(403, batch.list_namespaced_job, site.namespace)
        refused(403, batch.list_namespaced_job, "kube-system")
        refused(403, core.list_node)

    def test_reviews_tell_beforehand(self, site: Site) -> None:
        api = site.account("asker", _MAKES_JOBS)
        site.wait(lambda: _may(api, site.namespace, "create", "batch", "jobs"))
        assert not _may(api, site.namespace, "delete", "batch", "jobs")
        assert not _may(api, site.namespace, "create", "", "pods")
        assert not _may(api, "kube-system", "create", "batch", "jobs")
        review = {"spec": {"namespace": site.namespace}}
        told = client.AuthorizationV1Api(api).create_self_subject_rules_review(review).status
        mine = [rule for rule in told.resource_rules if "jobs" in (rule.resources or ())]
        assert [sorted(rule.verbs) for rule in mine] == [["create", "get"]]

    def test_a_subresource_needs_a_right_of_its_own(self, site: Site) -> None:
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
        api = site.account("reader", [rule])
        site.wait(lambda: _may(api, site.namespace, "list", "", "pods"))
        core = client.CoreV1Api(api)
        assert core.list_namespaced_pod(site.namespace) is not None
        refused(403, core.read_namespaced_pod_log, "any", site.namespace)
