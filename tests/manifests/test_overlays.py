"""An overlay is one whole: namespaces, names, images and specifications agree."""

import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from minorkey.cli import main
from minorkey.cluster.spec import load_cluster_spec
from minorkey.drift.rules import PRODUCTION, render
from minorkey.feedback.spec import load_feedback_spec
from minorkey.retune.spec import load_retune_spec
from minorkey.spec import load_spec
from tests.manifests.built import MANIFESTS, OVERLAYS, Manifest, build, one, pods, wave

ROOT = MANIFESTS.parent
ENVIRONMENTS = ("dev", "prod")
_ACCESS = (
    "ClusterQueue ConfigMap LimitRange NetworkPolicy ResourceFlavor ResourceQuota Role RoleBinding Secret "
    "ServiceAccount ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding"
)
_RUNNING = (
    "AlertmanagerConfig CronJob Deployment Job LocalQueue PodMonitor PrometheusRule Service StatefulSet"
)
WAVES = {
    "Namespace": "-2",
    **dict.fromkeys(_ACCESS.split(), "-1"),
    **dict.fromkeys(_RUNNING.split(), "0"),
}


def identities(manifests: list[Manifest]) -> list[tuple[str, str, str, str]]:
    return [
        (made["apiVersion"], made["kind"], made["metadata"].get("namespace", ""), made["metadata"]["name"])
        for made in manifests
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_object_is_there_twice(overlay: str) -> None:
    found = identities(build(overlay))
    assert len(set(found)) == len(found) > 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_order_is_namespaces_then_rights_then_what_runs(environment: str) -> None:
    for made in build(f"overlays/{environment}"):
        assert wave(made) == int(WAVES[made["kind"]]), made["metadata"]["name"]


def test_environments_do_not_meet_in_a_cluster() -> None:
    """Neither an object of both, nor a namespace of one that the other names."""
    dev, prod = (build(f"overlays/{environment}") for environment in ENVIRONMENTS)
    assert not set(identities(dev)) & set(identities(prod))
    assert "minorkey-dev" not in str(prod) and "minorkey-prod" not in str(dev)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_name_of_the_base_is_left_over(environment: str) -> None:
    """The namespaces of base/ are in no object of an overlay: what names them was given the overlay's."""
    manifests = build(f"overlays/{environment}")
    left = [
        line
        for line in yaml.safe_dump_all(manifests, width=10_000).splitlines()
        if ".minorkey.svc" in line
        or line.strip() in ("namespace: minorkey", "namespace: minorkey-trials", "value: minorkey-trials")
        or line.strip() == "kubernetes.io/metadata.name: minorkey-trials"
    ]
    assert left == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_cluster_specification_names_what_the_overlay_makes(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    spec = load_cluster_spec(MANIFESTS / f"overlays/{environment}/cluster.yaml")
    accounts = {
        (made["metadata"]["namespace"], made["metadata"]["name"])
        for made in manifests
        if made["kind"] == "ServiceAccount"
    }
    mine = spec.service_accounts
    assert {(spec.namespace, name) for name in (mine.pipeline, mine.tune, mine.deploy)} <= accounts
    assert (spec.trial_namespace, spec.trials.service_account) in accounts
    permitted = set(one(manifests, "ConfigMap", "minorkey-trial-images")["data"].values())
    assert {spec.image, spec.trials.image or spec.image} == permitted
    assert {
        container["image"]
        for _, template in pods(manifests)
        for container in template["spec"]["containers"]
        if "minorkey" in container["image"]
    } == {spec.image}
    environment_of_services = one(manifests, "ConfigMap", "minorkey-environment")["data"]
    assert environment_of_services["MLFLOW_TRACKING_URI"] == spec.stores.tracking_uri
    assert environment_of_services["MINORKEY_BUNDLE_ROOT"] == spec.stores.bundle_root
    if spec.trials.queue:
        queue = one(manifests, "LocalQueue", spec.trials.queue)
        assert queue["metadata"]["namespace"] == spec.trial_namespace
    if spec.serving.kserve is not None:
        assert (spec.serving_namespace, spec.serving.kserve.service_account) in accounts


@pytest.mark.parametrize("overlay", ["base", "overlays/dev", "overlays/prod"])
def test_the_services_accept_their_specifications(overlay: str, tmp_path: Path) -> None:
    """And models bear the environment's name in front, in the registry and so in alerts and figures."""
    files = one(build(overlay), "ConfigMap", "minorkey-config")["data"]
    for name, text in files.items():
        (tmp_path / name).write_text(text.replace("/etc/minorkey", str(tmp_path)))
    retune = load_retune_spec(tmp_path / "retune.yaml")
    feedback = load_feedback_spec(tmp_path / "feedback.yaml")
    assert set(retune.models) == set(feedback.models)
    _, _, environment = overlay.partition("/")
    for name, model in retune.models.items():
        assert load_spec(Path(model.spec)).model == name
        assert name.startswith(f"{environment}-" if environment else "")
    assert load_cluster_spec(tmp_path / "cluster.yaml").model_prefix == (
        f"{environment}-" if environment else ""
    )


def test_the_schedules_are_right_once_the_pipelines_are_compiled(tmp_path: Path) -> None:
    """As the Job does it: the commands of its two containers, in folders of this machine."""
    manifests = build("overlays/prod")
    for name, text in one(manifests, "ConfigMap", "minorkey-config")["data"].items():
        (tmp_path / name).write_text(text.replace("/var/lib/minorkey", str(tmp_path)))
    pod = one(manifests, "Job", "minorkey-schedules")["spec"]["template"]["spec"]
    (compiling,), (reconciling,) = pod["initContainers"], pod["containers"]
    here = {"/etc/minorkey": str(tmp_path), "/var/lib/minorkey": str(tmp_path)}
    for container, more in ((compiling, []), (reconciling, ["--validate"])):
        words = [*container["args"][1:], *more]
        for theirs, ours in here.items():
            words = [word.replace(theirs, ours) for word in words]
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert not ended.value.code
    assert sorted(path.name for path in (tmp_path / "pipelines").glob("*.yaml")) == [
        "adjust.yaml",
        "tune.yaml",
    ]


def test_environments_own_different_schedules() -> None:
    configs = [
        one(build(f"overlays/{environment}"), "ConfigMap", "minorkey-config") for environment in ENVIRONMENTS
    ]
    owners = {yaml.safe_load(config["data"]["schedules.yaml"])["owner"] for config in configs}
    assert owners == {"minorkey-dev", "minorkey-prod"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_prometheus_and_grafana_take_is_what_the_templates_give(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    namespace = one(manifests, "Deployment", "minorkey-trigger")["metadata"]["namespace"]
    for kind in ("rules", "alerts"):
        built = one(manifests, "PrometheusRule", f"minorkey-{kind}")["spec"]["groups"]
        for rule in itertools.chain.from_iterable(group["rules"] for group in built):
            if kind == "alerts":
                assert rule["labels"].pop("namespace") == namespace
        assert built == yaml.safe_load(render(kind, PRODUCTION))["groups"]
    dashboard = one(manifests, "ConfigMap", "minorkey-dashboard")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(dashboard["data"]["minorkey.json"]) == json.loads(
        (ROOT / "monitoring/dashboards/minorkey.json").read_text()
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_alertmanager_brings_alerts_to_the_trigger_of_this_environment(environment: str) -> None:
    manifests = build(f"overlays/{environment}")
    service = one(manifests, "Service", "minorkey-trigger")
    (retune,) = (
        receiver
        for receiver in one(manifests, "AlertmanagerConfig", "minorkey")["spec"]["receivers"]
        if receiver["name"] == "retune"
    )
    (webhook,) = retune["webhookConfigs"]
    namespace, port = service["metadata"]["namespace"], service["spec"]["ports"][0]["port"]
    assert webhook["url"] == f"http://minorkey-trigger.{namespace}.svc:{port}/webhook"
    token = webhook["httpConfig"]["authorization"]["credentials"]
    volumes = one(manifests, "Deployment", "minorkey-trigger")["spec"]["template"]["spec"]["volumes"]
    (mounted,) = (volume["secret"]["secretName"] for volume in volumes if volume["name"] == "token")
    assert token == {"name": mounted, "key": "token"}


def test_the_jobs_that_alerts_ask_for_are_scraped() -> None:
    monitors = [made for made in build("overlays/prod") if made["kind"] == "PodMonitor"]
    jobs = {
        relabelling["replacement"]
        for made in monitors
        for endpoint in made["spec"]["podMetricsEndpoints"]
        for relabelling in endpoint["relabelings"]
        if relabelling.get("targetLabel") == "job"
    }
    asked = {
        job
        for job in ("minorkey-predictor", "minorkey-feedback", "minorkey-trigger")
        if job in render("alerts", PRODUCTION)
    }
    assert jobs == asked and len(jobs) == 3


@pytest.mark.parametrize("component", ["feedback", "trigger", "predictor"])
def test_counts_of_a_database_are_the_same_series_whatever_pod_tells_them(component: str) -> None:
    manifests = build("overlays/prod")
    monitor = one(manifests, "PodMonitor", f"minorkey-{component}")
    relabellings = monitor["spec"]["podMetricsEndpoints"][0]["relabelings"]
    targets = [
        {"namespace": "minorkey-prod", "pod": f"minorkey-{component}-{pod}", "instance": f"10.0.0.{pod}:9096"}
        for pod in (1, 2)
    ]
    first, second = (relabelled(labels, relabellings) for labels in targets)
    assert first["job"] == f"minorkey-{component}" and first["namespace"] == "minorkey-prod"
    if component == "predictor":
        assert first["instance"] != second["instance"]
    else:
        assert first == second
        deployment = one(manifests, "Deployment", f"minorkey-{component}")["spec"]
        assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})


def relabelled(labels: dict[str, str], relabellings: list[dict[str, str]]) -> dict[str, str]:
    """What Prometheus makes of a target's labels, by the actions that there are."""
    labels = dict(labels)
    for step in relabellings:
        if step["action"] == "labeldrop":
            labels = {name: value for name, value in labels.items() if not re.fullmatch(step["regex"], name)}
        else:
            assert step.keys() == {"action", "targetLabel", "replacement"} and step["action"] == "replace"
            labels[step["targetLabel"]] = step["replacement"]
    return labels
