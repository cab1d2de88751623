"""Lists and watches."""

import pytest

from tests.kubernetes.site import Site, refused
from tests.kubernetes.watching import events, until


def _config(site: Site, name: str, **labels: str) -> None:
    site.core.create_namespaced_config_map(site.namespace, {"metadata": {"name": name, "labels": labels}})


def _suspended(site: Site, name: str, **labels: str) -> None:
    job = site.job(name, "pass", suspend=True)
    job["metadata"]["labels"] = labels
    site.batch.create_namespaced_job(site.namespace, job)


class ReadingContract:
    def test_pages_of_a_list_are_one_consistent_whole(self, site: Site) -> None:
        for number in range(5):
            _config(site, f"page-{number}", set="pages")
        page = site.core.list_namespaced_config_map(site.namespace, label_selector="set=pages", limit=2)
        version, names = page.metadata.resource_version, [item.metadata.name for item in page.items]
        site.core.delete_namespaced_config_map("page-4", site.namespace)
        while page.metadata._continue:
            page = site.core.list_namespaced_config_map(
                site.namespace, label_selector="set=pages", limit=2, _continue=page.metadata._continue
            )
            assert page.metadata.resource_version == version
            names += [item.metadata.name for item in page.items]
        assert names == [f"page-{number}" for number in range(5)]

    def test_a_token_that_was_never_given_out_is_refused(self, site: Site) -> None:
        refused(400, site.core.list_namespaced_config_map, site.namespace, _continue="nonsense", limit=1)

    def test_lists_are_chosen_by_labels(self, site: Site) -> None:
        for name, colour in (("red", "red"), ("blue", "blue"), ("grey", "grey")):
            _config(site, f"chosen-{name}", colour=colour, set="chosen")

        def names(selector: str) -> set[str]:
            found = site.core.list_namespaced_config_map(
                site.namespace, label_selector=f"set=chosen,{selector}"
            )
            return {item.metadata.name.removeprefix("chosen-") for item in found.items}

        assert names("colour=red") == {"red"}
        assert names("colour!=red") == {"blue", "grey"}
        assert names("colour in (red, blue)") == {"red", "blue"}
        assert names("colour notin (red, blue)") == {"grey"}
        assert names("colour") == {"red", "blue", "grey"}
        assert names("!colour") == set()

    def test_lists_are_chosen_by_the_fields_that_a_kind_offers(self, site: Site) -> None:
        _config(site, "by-name")
        found = site.core.list_namespaced_config_map(site.namespace, field_selector="metadata.name=by-name")
        assert [item.metadata.name for item in found.items] == ["by-name"]
        refused(400, site.core.list_namespaced_config_map, site.namespace, field_selector="data.x=1")

    def test_a_watch_goes_on_from_where_a_list_was(self, site: Site) -> None:
        version = site.batch.list_namespaced_job(site.namespace).metadata.resource_version
        _suspended(site, "watched", set="watched")
        site.delete("watched")
        seen = until(
            events(site, "jobs", resourceVersion=version, labelSelector="set=watched"), "DELETED", "watched"
        )
        assert seen[0]["type"] == "ADDED"
        assert {event["type"] for event in seen[1:-1]} <= {"MODIFIED"}
        versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in seen]
        assert versions == sorted(set(versions)) and versions[0] > int(version)

    def test_a_watch_resumes_after_the_last_event_it_saw(self, site: Site) -> None:
        version = site.batch.list_namespaced_job(site.namespace).metadata.resource_version
        _suspended(site, "resume-1", set="resume")
        _suspended(site, "resume-2", set="resume")
        first = next(events(site, "jobs", resourceVersion=version, labelSelector="set=resume"))
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "resume-1")
        resumed = first["object"]["metadata"]["resourceVersion"]
        seen = until(
            events(site, "jobs", resourceVersion=resumed, labelSelector="set=resume"), "ADDED", "resume-2"
        )
        assert not [event for event in seen if event["type"] == "ADDED" and event is not seen[-1]]

    def test_what_is_no_longer_chosen_is_deleted_to_a_watch(self, site: Site) -> None:
        version = site.batch.list_namespaced_job(site.namespace).metadata.resource_version
        _suspended(site, "leaves", set="leaves")
        site.batch.patch_namespaced_job("leaves", site.namespace, {"metadata": {"labels": {"set": "other"}}})
        until(events(site, "jobs", resourceVersion=version, labelSelector="set=leaves"), "DELETED", "leaves")
        assert site.batch.read_namespaced_job("leaves", site.namespace).metadata.labels["set"] == "other"

    def test_a_watch_without_a_version_begins_with_what_is_there(self, site: Site) -> None:
        _suspended(site, "there", set="there")
        (first, *_) = until(events(site, "jobs", labelSelector="set=there"), "ADDED", "there")
        assert first["type"] == "ADDED"

    def test_a_watch_ends_after_its_seconds(self, site: Site) -> None:
        version = site.batch.list_namespaced_job(site.namespace).metadata.resource_version
        quiet = events(site, "jobs", resourceVersion=version, labelSelector="set=nothing", seconds=1)
        assert list(quiet) == []

    def test_a_watch_from_too_long_ago_is_refused_inside_the_stream(self, site: Site) -> None:
        found = next(events(site, "pods", resourceVersion="1", seconds=1), None)
        if found is None or found["type"] != "ERROR":
            pytest.skip("this API server still knows its whole history")
        assert found["object"]["code"] == 410 and found["object"]["reason"] in ("Expired", "Gone")

    def test_a_bookmark_carries_a_version_and_no_object(self, site: Site) -> None:
        version = site.batch.list_namespaced_job(site.namespace).metadata.resource_version
        _config(site, "moves-the-version-on")
        told = list(
            events(
                site,
                "jobs",
                resourceVersion=version,
                allowWatchBookmarks="true",
                labelSelector="no=no",
                seconds=1,
            )
        )
        if not told:
            pytest.skip("this API server gives bookmarks only in longer watches")
        assert {event["type"] for event in told} == {"BOOKMARK"}
        assert int(told[-1]["object"]["metadata"]["resourceVersion"]) >= int(version)
        assert not told[-1]["object"]["metadata"].get("name")

    def test_what_is_not_there_is_not_found(self, site: Site) -> None:
        body = refused(404, site.batch.read_namespaced_job, "absent", site.namespace)
        assert body["reason"] == "NotFound" and "absent" in body["message"]

    def test_the_server_tells_its_version(self, site: Site) -> None:
        told = site.api.call_api("/version", "GET", response_type="object", auth_settings=["BearerToken"])[0]
        assert int(told["major"]) == 1 and int(told["minor"].rstrip("+")) >= 32
