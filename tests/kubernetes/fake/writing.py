"""Create, update and patch, as clients ask for them."""

import json

import yaml

from tests.kubernetes.fake.answers import Answer, ApiError, bad_request, conflict
from tests.kubernetes.fake.applying import apply, owners_after_update
from tests.kubernetes.fake.objects import Objects
from tests.kubernetes.fake.patches import json_patch, merge_patch, strategic_merge
from tests.kubernetes.fake.routes import Call
from tests.kubernetes.fake.schema import unknown_fields
from tests.kubernetes.fake.wire import Request

__all__ = ["Writer"]

_APPLY = "application/apply-patch+yaml"
_PATCHES = {
    "application/merge-patch+json": merge_patch,
    "application/strategic-merge-patch+json": strategic_merge,
    "application/json-patch+json": json_patch,
}


class Writer:
    """Turns requests into changes of objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def create(self, call: Call, request: Request) -> Answer:
        content = _content(request)
        _check_kind(call, content)
        answer = self._checked(call, request, content)
        dry_run = request.query.get("dryRun") == "All"
        stored = self._objects.create(call.kind, call.namespace, content, dry_run=dry_run)
        answer.body, answer.status = stored.whole(), 201
        return answer

    def update(self, call: Call, request: Request) -> Answer:
        content = _content(request)
        _check_kind(call, content)
        answer = self._checked(call, request, content)
        if (content.get("metadata") or {}).get("name") != call.name:
            raise bad_request("the name of the object does not match the name on the URL")
        return self._change(call, request, answer, lambda old: owners_after_update(old, content))

    def patch(self, call: Call, request: Request) -> Answer:
        content_type = request.headers.get("content-type", "").partition(";")[0]
        if content_type == _APPLY:
            return self._apply(call, request)
        if content_type not in _PATCHES:
            raise ApiError(
                415,
                "UnsupportedMediaType",
                f"the body of the request was in an unknown format - {content_type}",
            )
        patch = _content(request, of=list if content_type.startswith("application/json-patch") else dict)
        change = _PATCHES[content_type]

        def patched(old: dict) -> dict:
            new = change(old, patch)
            unknown_fields(call.kind, new)
            return owners_after_update(old, new)

        return self._change(call, request, Answer(), patched)

    def _change(self, call: Call, request: Request, answer: Answer, change: object) -> Answer:
        stored = self._objects.change(
            call.kind,
            call.namespace,
            call.name,
            change,
            status=call.subresource == "status",
            dry_run=request.query.get("dryRun") == "All",
        )
        answer.body = stored.whole()
        return answer

    def _apply(self, call: Call, request: Request) -> Answer:
        manager = request.query.get("fieldManager", "")
        if not manager:
            problem = "fieldManager: Required value: is required for apply patch"
            raise ApiError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {problem}')
        content = _content(request)
        _check_kind(call, content)
        answer = self._checked(call, request, content)
        force = request.query.get("force", "").lower() == "true"
        with self._objects.store.lock:
            old = self._objects.store.content(call.kind, call.namespace, call.name)
            if old is None:
                if (content.get("metadata") or {}).get("uid"):
                    raise conflict(call.kind, call.name, "uid mismatch: the object does not exist")
                content = apply(call.kind, None, content, manager, force)
                fields = content["metadata"].pop("managedFields")
                stored = self._objects.create(
                    call.kind, call.namespace, content, dry_run=request.query.get("dryRun") == "All"
                )
                answer.status = 201
                if stored.version:
                    metadata = {**stored.content["metadata"], "managedFields": fields}
                    stored = self._objects.store.put(call.kind, {**stored.content, "metadata": metadata})
                answer.body = stored.whole()
                return answer
            return self._change(
                call, request, answer, lambda old: apply(call.kind, old, content, manager, force)
            )

    def _checked(self, call: Call, request: Request, content: dict) -> Answer:
        """Unknown fields warn, are ignored or refused, as the client wishes."""
        unknown = unknown_fields(call.kind, content)
        wish = request.query.get("fieldValidation", "Warn")
        if not unknown or wish == "Ignore":
            return Answer()
        told = ", ".join(f'unknown field "{path}"' for path in unknown)
        if wish == "Strict":
            raise bad_request(f"strict decoding error: {told}")
        return Answer(headers={"Warning": f'299 - "{told}"'})


def _content(request: Request, of: type = dict) -> dict:
    try:
        content = json.loads(request.body)
    except ValueError:
        try:
            content = yaml.safe_load(request.body)
        except yaml.YAMLError as error:
            raise bad_request(f"the object provided is unrecognized: {error}") from error
    if not isinstance(content, of):
        raise bad_request("the object provided is unrecognized")
    return content


def _check_kind(call: Call, content: dict) -> None:
    named, version = content.get("kind"), content.get("apiVersion")
    if named not in (None, call.kind.name) or version not in (None, call.kind.api_version):
        served = f"{call.kind.name} of {call.kind.api_version}"
        raise bad_request(f"{named} in version {version!r} cannot be handled as a {served}")
