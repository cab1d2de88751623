"""A Kubeflow Pipelines API on loopback with the real one's semantics, for kfp's own client to talk to.

Names are unique (409), what is not there is 404, a missing or wrong token is 401, a namespace without
rights is 403, an input that the pipeline does not have is 400. A run goes through the states that the test
has planned, one for each time that it is looked at.
"""

import hmac
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from google.protobuf import json_format
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec, PlatformSpec

from tests.kfp.recurring import RecurringRuns
from tests.kfp.refusal import Refusal

API = "/apis/v2beta1"
Object = dict[str, Any]
CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 500: 13, 503: 14}


@dataclass
class Pipelines:
    """The server's database.

    Attributes:
        token: the bearer token that it asks for, "" for none.
        namespaces: those in which the caller has rights; empty in a single-user installation.
        planned: states that the next run goes through.
        version: what `/apis/v1beta1/healthz` says.
        taken: names of experiments that somebody makes between a caller's look and its create.
        broken: answer everything with this status, 0 for none.
        recurring: recurring runs and the controller that starts their runs.
    """

    token: str = ""
    namespaces: tuple[str, ...] = ()
    planned: list[str] = field(default_factory=lambda: ["PENDING", "RUNNING", "SUCCEEDED"])
    task_failures: dict[str, str] = field(default_factory=dict)
    version: str = "2.14.0"
    taken: set[str] = field(default_factory=set)
    broken: int = 0
    pipelines: dict[str, Object] = field(default_factory=dict)
    versions: dict[str, Object] = field(default_factory=dict)
    experiments: dict[str, Object] = field(default_factory=dict)
    runs: dict[str, Object] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=dict)
    recurring: RecurringRuns = field(default_factory=RecurringRuns)
    clock: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> str:
        self.clock += timedelta(seconds=1)
        return self.clock.isoformat().replace("+00:00", "Z")

    def require_namespace(self, namespace: str) -> None:
        if self.namespaces and not namespace:
            raise Refusal(400, "Invalid input error: a multi-user installation needs a namespace")
        if self.namespaces and namespace not in self.namespaces:
            raise Refusal(403, f"User is not authorized in namespace {namespace}")

    def require_new(self, kind: str, found: dict[str, Object], **same: str) -> None:
        if any(all(one.get(key) == value for key, value in same.items()) for one in found.values()):
            raise Refusal(409, f"Already exist error: {kind} {same} already exists")

    def upload(self, name: str, namespace: str, content: bytes) -> Object:
        self.require_namespace(namespace)
        self.require_new("pipeline", self.pipelines, display_name=name, namespace=namespace)
        identity = str(uuid.uuid4())
        made = {
            "pipeline_id": identity,
            "display_name": name,
            "namespace": namespace,
            "created_at": self.now(),
        }
        self.pipelines[identity] = made
        self.upload_version(identity, name, content)
        return made

    def upload_version(self, pipeline: str, name: str, content: bytes) -> Object:
        if pipeline not in self.pipelines:
            raise Refusal(404, f"Pipeline {pipeline} not found")
        self.require_new("version", self.versions, display_name=name, pipeline_id=pipeline)
        documents = parsed(content)
        identity = str(uuid.uuid4())
        made = {
            "pipeline_id": pipeline,
            "pipeline_version_id": identity,
            "display_name": name,
            "created_at": self.now(),
            "pipeline_spec": {"pipeline_spec": documents[0], "platform_spec": [*documents, {}][1]},
        }
        self.versions[identity] = made
        return made

    def experiment(self, body: Object) -> Object:
        namespace = body.get("namespace", "")
        self.require_namespace(namespace)
        if body["display_name"] in self.taken:
            raise Refusal(409, f"Already exist error: experiment {body['display_name']} already exists")
        self.require_new(
            "experiment", self.experiments, display_name=body["display_name"], namespace=namespace
        )
        identity = str(uuid.uuid4())
        made = {**body, "namespace": namespace, "experiment_id": identity, "created_at": self.now()}
        self.experiments[identity] = made
        return made

    def start(self, body: Object) -> Object:
        if body["experiment_id"] not in self.experiments:
            raise Refusal(404, f"Experiment {body['experiment_id']} not found")
        self.require_inputs(body)
        identity = str(uuid.uuid4())
        made = {**body, "run_id": identity, "state": "PENDING", "created_at": self.now()}
        self.runs[identity] = made
        self.states[identity] = list(self.planned)
        return made

    def require_inputs(self, body: Object) -> None:
        """Refuse a version that is not there, and parameters that it does not take."""
        named = body["pipeline_version_reference"]["pipeline_version_id"]
        if named not in self.versions:
            raise Refusal(404, f"PipelineVersion {named} not found")
        inputs = self.versions[named]["pipeline_spec"]["pipeline_spec"]["root"]["inputDefinitions"][
            "parameters"
        ]
        for given in body["runtime_config"]["parameters"]:
            if given not in inputs:
                raise Refusal(400, f"Invalid input error: parameter {given} is not an input of the pipeline")

    def terminate(self, identity: str) -> Object:
        """A run that goes on is CANCELING, and CANCELED at the next look; one that has ended refuses."""
        if identity not in self.runs:
            raise Refusal(404, f"Run {identity} not found")
        if self.runs[identity]["state"] in ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"):
            raise Refusal(400, f"Failed to terminate run {identity}: it is not in a state to be terminated")
        self.runs[identity]["state"], self.states[identity] = "CANCELING", ["CANCELED"]
        return {}

    def look(self, identity: str) -> Object:
        if identity not in self.runs:
            raise Refusal(404, f"Run {identity} not found")
        run, states = self.runs[identity], self.states[identity]
        run["state"] = states.pop(0) if states else run["state"]
        if run["state"] == "FAILED":
            run["run_details"] = {
                "task_details": [
                    {"display_name": name, "state": "FAILED", "error": {"code": 1, "message": message}}
                    for name, message in self.task_failures.items()
                ]
            }
        return run


def parsed(content: bytes) -> list[Object]:
    """The documents of a compiled pipeline, each by the schema that the real API knows."""
    documents = list(yaml.safe_load_all(content))
    try:
        json_format.ParseDict(documents[0], PipelineSpec())
        for platform in documents[1:]:
            json_format.ParseDict(platform, PlatformSpec())
            for given in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
                json_format.ParseDict(given, KubernetesExecutorConfig())
    except (IndexError, KeyError, json_format.ParseError) as error:
        raise Refusal(400, f"Invalid input error: the pipeline spec is invalid: {error}") from None
    return documents


def matching(found: dict[str, Object], query: dict[str, str], **same: str) -> list[Object]:
    """Objects by the API's filter, newest first where it is asked so, and one page of them."""
    predicates = json.loads(query.get("filter") or "{}").get("predicates", [])
    wanted = {one["key"]: one.get("stringValue", one.get("string_value")) for one in predicates} | same
    chosen = [one for one in found.values() if all(one.get(key) == value for key, value in wanted.items())]
    chosen.sort(key=lambda one: one["created_at"], reverse=query.get("sort_by", "").endswith(" desc"))
    return chosen[: int(query.get("page_size") or 20)]


class Handler(BaseHTTPRequestHandler):
    """Routes requests to the database under its lock."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed."""

    def do_GET(self) -> None:
        self.handle_request("GET")

    def do_POST(self) -> None:
        self.handle_request("POST")

    def do_DELETE(self) -> None:
        self.handle_request("DELETE")

    def handle_request(self, verb: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        database = self.server.database
        try:
            with database.lock:
                self.authorise(database)
                status, content = 200, route(database, verb, split.path, query, body, self.headers)
        except Refusal as refusal:
            status, content = refusal.status, {
                "error": str(refusal), "code": CODES[refusal.status], "message": str(refusal), "details": [],
            }  # fmt: skip
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def authorise(self, database: Pipelines) -> None:
        if database.broken:
            raise Refusal(database.broken, "it is broken")
        given = self.headers.get("Authorization", "")
        if database.token and not hmac.compare_digest(given, f"Bearer {database.token}"):
            raise Refusal(401, "Unauthenticated: the token is missing or has expired")


def route(database: Pipelines, verb: str, path: str, query: dict, body: bytes, headers: Any) -> Object:
    if path == "/apis/v1beta1/healthz":
        return {"commit_sha": "0" * 40, "tag_name": database.version, "multi_user": bool(database.namespaces)}
    if path == f"{API}/healthz":
        return {"multi_user": bool(database.namespaces), "pipeline_store": "database"}
    if path == f"{API}/pipelines/upload":
        return database.upload(query["name"], query.get("namespace", ""), uploaded(body, headers))
    if path == f"{API}/pipelines/upload_version":
        return database.upload_version(query["pipelineid"], query["name"], uploaded(body, headers))
    if path == f"{API}/pipelines":
        namespace = query.get("namespace", "")
        database.require_namespace(namespace)
        return {"pipelines": matching(database.pipelines, query, namespace=namespace)}
    if match := re.fullmatch(rf"{API}/pipelines/([^/]+)/versions", path):
        if match[1] not in database.pipelines:
            raise Refusal(404, f"Pipeline {match[1]} not found")
        return {"pipeline_versions": matching(database.versions, query, pipeline_id=match[1])}
    if path == f"{API}/experiments" and verb == "POST":
        return database.experiment(json.loads(body))
    if path == f"{API}/experiments":
        namespace = query.get("namespace", "")
        database.require_namespace(namespace)
        return {"experiments": matching(database.experiments, query, namespace=namespace)}
    if path == f"{API}/runs" and verb == "POST":
        return database.start(json.loads(body))
    if path == f"{API}/runs":
        same = {"experiment_id": query["experiment_id"]} if "experiment_id" in query else {}
        return {"runs": matching(database.runs, query, **same)}
    if match := re.fullmatch(rf"{API}/runs/([^/:]+):terminate", path):
        return database.terminate(match[1])
    if match := re.fullmatch(rf"{API}/runs/([^/:]+)", path):
        return database.look(match[1])
    if path.startswith(f"{API}/recurringruns"):
        return database.recurring.route(
            database, verb, path.removeprefix(f"{API}/recurringruns"), query, body
        )
    raise Refusal(404, f"Not Found: {verb} {path}")


def uploaded(body: bytes, headers: Any) -> bytes:
    """The file of a multipart form."""
    message = BytesParser().parsebytes(
        b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
    )
    (part,) = message.get_payload()
    return part.get_payload(decode=True)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    database: Pipelines


@contextmanager
def serving(
    prepare: Callable[[Pipelines], None] = lambda database: None, tls: ssl.SSLContext | None = None
) -> Iterator[Pipelines]:
    """The API on a free loopback port, as long as the block runs."""
    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.database = Pipelines()
        prepare(server.database)
        scheme = "http" if tls is None else "https"
        server.database.url = f"{scheme}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.database
        finally:
            server.shutdown()
            thread.join()
