"""Server-side apply: what a manifest says, and who said it."""

from typing import Any

from tests.kubernetes.site import Site, refused


def _apply(site: Site, content: dict, manager: str, *, force: bool = False) -> Any:
    name = content["metadata"]["name"]
    query: list[tuple[str, str]] = [("fieldManager", manager)]
    if force:
        query.append(("force", "true"))
    return site.api.call_api(
        f"/api/v1/namespaces/{site.namespace}/configmaps/{name}",
        "PATCH",
        query_params=query,
        header_params={"Content-Type": "application/apply-patch+yaml", "Accept": "application/json"},
        body={"apiVersion": "v1", "kind": "ConfigMap", **content},
        response_type="object",
        auth_settings=["BearerToken"],
        _return_http_data_only=True,
    )


class ApplyContract:
    def test_applying_creates_and_applying_again_changes_nothing(self, site: Site) -> None:
        content = {"metadata": {"name": "applied", "labels": {"a": "1"}}, "data": {"x": "1", "y": "2"}}
        first = _apply(site, content, "one")
        again = _apply(site, content, "one")
        assert first["data"] == {"x": "1", "y": "2"}
        assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        (owner,) = again["metadata"]["managedFields"]
        assert (owner["manager"], owner["operation"]) == ("one", "Apply")
        assert owner["fieldsV1"]["f:data"] == {"f:x": {}, "f:y": {}}

    def test_what_is_no_longer_applied_is_removed(self, site: Site) -> None:
        _apply(site, {"metadata": {"name": "shrinks"}, "data": {"x": "1", "y": "2"}}, "one")
        left = _apply(site, {"metadata": {"name": "shrinks"}, "data": {"y": "2"}}, "one")
        assert left["data"] == {"y": "2"}

    def test_fields_of_others_stay(self, site: Site) -> None:
        _apply(site, {"metadata": {"name": "shared"}, "data": {"x": "1"}}, "one")
        _apply(site, {"metadata": {"name": "shared"}, "data": {"y": "2"}}, "two")
        both = _apply(site, {"metadata": {"name": "shared"}, "data": {"x": "3"}}, "one")
        assert both["data"] == {"x": "3", "y": "2"}

    def test_two_who_want_a_field_differently_are_in_conflict(self, site: Site) -> None:
        _apply(site, {"metadata": {"name": "disputed"}, "data": {"x": "1"}}, "one")
        other = {"metadata": {"name": "disputed"}, "data": {"x": "2"}}
        body = refused(409, _apply, site, other, "two")
        (cause,) = body["details"]["causes"]
        assert body["reason"] == "Conflict"
        assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.x")
        assert 'conflict with "one"' in cause["message"]
        assert _apply(site, other, "two", force=True)["data"] == {"x": "2"}

    def test_a_manager_must_give_its_name(self, site: Site) -> None:
        body = refused(422, _apply, site, {"metadata": {"name": "nameless"}}, "")
        assert "fieldManager" in body["message"]
