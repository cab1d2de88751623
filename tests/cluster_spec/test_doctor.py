"""The doctor, against an API with a cluster's semantics: what it finds, and what it advises."""

import base64
import json
import socket
import time
from pathlib import Path

import pytest

from minorkey.cli import app
from minorkey.cluster.checks.machine import check_machine
from minorkey.cluster.checks.stores import check_stores
from minorkey.cluster.checks.versions import check_kubeflow
from minorkey.cluster.doctor import cluster_findings, diagnose
from minorkey.cluster.findings import Finding
from minorkey.cluster.spec import load_cluster_spec
from tests.kfp.server import serving
from tests.kubernetes.fake import FakeCluster, Node
from tests.kubernetes.fake.discovery import VERSION
from tests.kubernetes.fake.kinds import kind_of

GPU = Node("gpu-1", cpu="16", memory="64Gi", gpus=2, labels={"accelerator": "nvidia"}, taints=(
    {"key": "nvidia.com/gpu", "effect": "NoSchedule"},))  # fmt: skip
ROLE = [
    {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "list", "watch", "delete"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]},
]


def spec_with(folder: Path, **trials):
    content = {
        "namespace": "minorkey",
        "stores": {
            "study_root": "/study/a",
            "bundle_root": "/bundles/b",
            "bundle_volume": "bundles",
            "tracking_uri": "http://127.0.0.1:9",
            "artifact_secret": "minorkey-artifacts",
        },
        "trials": {"study_volume": "studies", "slots": 4, "cpu": {"cpu": "2", "memory": "4Gi"}, **trials},
    }
    return load_cluster_spec(json.dumps(content))


def create(cluster, plural, name, namespace="minorkey", **content):
    cluster.objects.create(kind_of(plural), namespace, {"metadata": {"name": name}, **content})


def secret(cluster, name, *keys):
    create(cluster, "secrets", name, data={key: base64.b64encode(b"x").decode() for key in keys})


def furnish(cluster):
    """Everything that a ClusterSpec of these tests names."""
    cluster.add_namespace("minorkey")
    for name in ("minorkey-pipeline", "minorkey-tune", "minorkey-deploy", "minorkey-trial"):
        create(cluster, "serviceaccounts", name)
    for name in ("minorkey-tune-token", "minorkey-deploy-token"):
        secret(cluster, name, "token", "ca.crt")
    secret(cluster, "minorkey-database", "url")
    secret(cluster, "minorkey-artifacts", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    for name in ("studies", "bundles"):
        create(
            cluster,
            "persistentvolumeclaims",
            name,
            spec={"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        )
    definition(cluster, "workflows", "argoproj.io", "Workflow", "v1alpha1")
    for kind in ("AlertmanagerConfig", "PodMonitor", "PrometheusRule"):
        definition(cluster, f"{kind.lower()}s", "monitoring.coreos.com", kind, "v1")
    create(cluster, "roles", "tune", rules=ROLE)
    create(
        cluster,
        "rolebindings",
        "tune",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tune"},
        subjects=[{"kind": "ServiceAccount", "name": "minorkey-tune", "namespace": "minorkey"}],
    )


def definition(cluster, plural, group, kind, version):
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    content = {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
        "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
    }
    create(cluster, "customresourcedefinitions", f"{plural}.{group}", "", spec=content)


@pytest.fixture
def cluster():
    with FakeCluster(nodes=(Node(cpu="8", memory="32Gi"), GPU)) as cluster:
        furnish(cluster)
        yield cluster


def findings(cluster, spec, **options) -> list[Finding]:
    """What is found about the cluster, without the stores, which other tests look at."""
    options = {"kubeconfig": cluster.kubeconfig, **options}
    stores = ("study root", "bundle root", "database", "tracking")
    return [one for one in cluster_findings(spec, **options) if one.check not in stores]


def used_of(cluster) -> dict:
    quota = cluster.store.content(kind_of("resourcequotas"), "minorkey", "team")
    return quota.get("status", {}).get("used", {})


def await_(condition, seconds: float = 10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def problems(cluster, spec, **options) -> list[Finding]:
    return [one for one in findings(cluster, spec, **options) if one.status != "ok"]


def test_a_cluster_that_has_everything_has_no_problem(cluster, tmp_path):
    found = findings(cluster, spec_with(tmp_path))
    assert [one for one in found if one.status != "ok"] == []
    looked_at = "kubernetes crd namespace serviceaccount secret volume permissions quota nodes"
    assert {one.check for one in found} >= set(looked_at.split())


def test_missing_definitions_of_the_prometheus_operator_are_a_warning(cluster, tmp_path):
    for name in ("podmonitors", "prometheusrules"):
        cluster.store.remove(kind_of("customresourcedefinitions"), "", f"{name}.monitoring.coreos.com")
    (found,) = problems(cluster, spec_with(tmp_path))
    assert found.status == "warning" and "install the Prometheus operator" in found.remedy
    assert found.text.startswith(
        "there is no podmonitors.monitoring.coreos.com, prometheusrules.monitoring.coreos.com:"
    )


@pytest.mark.parametrize(
    ("plural", "name", "told", "advised"),
    [
        ("serviceaccounts", "minorkey-tune", "serviceaccount minorkey-tune", "create serviceaccount"),
        ("serviceaccounts", "minorkey-trial", "serviceaccount minorkey-trial", "create serviceaccount"),
        ("secrets", "minorkey-database", "no secret minorkey-database", "--from-literal=url"),
        ("secrets", "minorkey-tune-token", "no secret minorkey-tune-token", "service-account-token"),
        ("persistentvolumeclaims", "studies", "no volume claim studies", "ReadWriteMany"),
    ],
)
def test_each_missing_object_is_named_with_its_remedy(cluster, tmp_path, plural, name, told, advised):
    cluster.store.remove(kind_of(plural), "minorkey", name)
    (found,) = [one for one in problems(cluster, spec_with(tmp_path)) if one.check != "permissions"]
    assert (found.status, told in found.text, advised in found.remedy) == ("problem", True, True), found


def test_a_secret_without_its_key_and_a_volume_for_one_node_are_told(cluster, tmp_path):
    cluster.store.remove(kind_of("secrets"), "minorkey", "minorkey-artifacts")
    secret(cluster, "minorkey-artifacts", "AWS_ACCESS_KEY_ID")
    cluster.store.remove(kind_of("persistentvolumeclaims"), "minorkey", "studies")
    once = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    create(cluster, "persistentvolumeclaims", "studies", spec=once)
    told = {one.check: one for one in problems(cluster, spec_with(tmp_path))}
    assert told["secret"].text.endswith("lacks AWS_SECRET_ACCESS_KEY")
    assert told["volume"].status == "warning" and "ReadWriteOnce" in told["volume"].text


def test_a_wrong_namespace_is_one_finding_and_nothing_in_it_is_looked_for(cluster, tmp_path):
    spec = spec_with(tmp_path).model_copy(update={"namespace": "typo"})
    found = problems(cluster, spec)
    assert [(one.check, one.status) for one in found] == [("namespace", "problem")]
    assert "create namespace typo" in found[0].remedy


@pytest.mark.parametrize(
    ("hard", "used", "status", "told", "advised"),
    [
        ({"requests.cpu": "1"}, {}, "problem", "less than a single trial pod", "raise the quota"),
        (
            {"requests.cpu": "6"},
            {},
            "problem",
            "holds 3 trial pods, trials.slots asks for 4",
            "trials.slots to 3",
        ),
        ({"requests.memory": "15Gi"}, {}, "problem", "holds 3 trial pods", "raise the quota to 16Gi"),
        ({"pods": "3"}, {}, "problem", "holds 3 trial pods", "trials.slots to 3"),
        ({"count/jobs.batch": "4"}, {}, "ok", "holds 4 trial pods", ""),
        ({"limits.cpu": "8"}, {"cpu": "3"}, "warning", "2 of 4 trial pods", "waits"),
    ],
)
def test_a_quota_is_compared_with_what_is_asked_for(cluster, tmp_path, hard, used, status, told, advised):
    create(cluster, "resourcequotas", "team", spec={"hard": hard})
    if used:
        container = {
            "name": "busy",
            "image": "busy",
            "command": ["sleep", "60"],
            "resources": {"limits": used},
        }
        create(cluster, "pods", "busy", spec={"containers": [container]})
        await_(lambda: used_of(cluster).get("limits.cpu") == "3")
    (found,) = [one for one in findings(cluster, spec_with(tmp_path)) if one.check == "quota"]
    assert (found.status, told in found.text, advised in found.remedy) == (status, True, True), found
    assert "quota team in namespace minorkey" in found.text


@pytest.mark.parametrize(
    ("trials", "told", "advised"),
    [
        ({"gpu": {"gpus": 4}}, "no node offers 4 nvidia.com/gpu", "device plugin"),
        (
            {"gpu": {"gpus": 1, "gpu_resource": "amd.com/gpu"}},
            "no node offers 1 amd.com/gpu",
            "device plugin",
        ),
        ({"gpu": {"gpus": 1}}, "nvidia.com/gpu:NoSchedule", "trials.gpu.tolerations"),
        ({"gpu": {"gpus": 1, "node_selector": {"zone": "b"}}}, "labels {'zone': 'b'}", "node_selector"),
        ({"cpu": {"cpu": "32"}}, "no node is large enough for trials.cpu (32 cpu", "ask for less"),
    ],
)
def test_profiles_that_fit_no_node_are_told(cluster, tmp_path, trials, told, advised):
    (found,) = problems(cluster, spec_with(tmp_path, **trials))
    assert (found.check, told in found.text, advised in found.remedy) == ("nodes", True, True), found


def test_a_gpu_profile_with_its_toleration_fits(cluster, tmp_path):
    tolerated = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    spec = spec_with(
        tmp_path, gpu={"gpus": 2, "node_selector": {"accelerator": "nvidia"}, "tolerations": tolerated}
    )
    assert problems(cluster, spec) == []


def test_kueue_is_asked_for_its_queue(cluster, tmp_path):
    spec = spec_with(tmp_path, queue="team")
    (found,) = problems(cluster, spec)
    assert found.check == "crd" and "install Kueue" in found.remedy
    definition(cluster, "localqueues", "kueue.x-k8s.io", "LocalQueue", "v1beta1")
    (found,) = problems(cluster, spec)
    assert found.check == "localqueue" and "create LocalQueue team" in found.remedy


def test_a_missing_priority_class_and_a_cluster_without_kubeflow_are_told(cluster, tmp_path):
    cluster.store.remove(kind_of("customresourcedefinitions"), "", "workflows.argoproj.io")
    told = {one.check: one for one in problems(cluster, spec_with(tmp_path, cpu={"priority_class": "low"}))}
    assert told["crd"].status == "warning" and "not installed" in told["crd"].text
    assert told["priorityclass"].text == "there is no priorityclass low"


def test_the_tune_account_is_asked_by_its_own_token(cluster, tmp_path):
    token = tmp_path / "token"
    token.write_text(cluster.token("minorkey", "minorkey-tune"))
    found = findings(cluster, spec_with(tmp_path), token_file=token)
    assert {one.status for one in found if one.check == "permissions"} == {"ok"}
    assert {one.check for one in found if one.status == "unseen"} >= {"nodes", "secret", "quota"}
    token.write_text(cluster.token("minorkey", "minorkey-trial"))
    denied = [
        one for one in findings(cluster, spec_with(tmp_path), token_file=token) if one.check == "permissions"
    ]
    assert [one.status for one in denied] == ["problem"] * 3
    assert "may not create, list, watch, delete jobs.batch" in denied[0].text
    assert "minorkey-tune" in denied[0].remedy


def test_an_expired_token_and_an_api_that_is_gone_are_one_finding_each(cluster, tmp_path):
    token = tmp_path / "token"
    token.write_text("expired")
    (found,) = problems(cluster, spec_with(tmp_path), token_file=token)
    assert found.check == "kubernetes" and "kubectl create token" in found.remedy
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        gone = tmp_path / "kubeconfig"
        gone.write_text(cluster.kubeconfig.read_text().replace(cluster.url, address))
        (found,) = problems(cluster, spec_with(tmp_path), kubeconfig=gone)
    assert "not reached" in found.text and address in found.text


def test_an_old_cluster_is_told(cluster, tmp_path, monkeypatch):
    monkeypatch.setitem(VERSION, "minor", "31+")
    monkeypatch.setitem(VERSION, "gitVersion", "v1.31.4")
    (found,) = problems(cluster, spec_with(tmp_path))
    assert found.text == "v1.31.4; 1.32 or later is needed"


def test_stores_that_are_not_reached_are_told_by_address(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("MINORKEY_DATABASE_URL", "postgresql://me:secret@127.0.0.1:9/studies")
    found = {one.check: one for one in cluster_findings(spec_with(tmp_path), kubeconfig=cluster.kubeconfig)}
    assert found["tracking"].status == found["database"].status == "problem"
    assert "http://127.0.0.1:9" in found["tracking"].text
    assert "secret" not in str(found["database"])
    monkeypatch.delenv("MINORKEY_DATABASE_URL")
    found = {one.check: one for one in cluster_findings(spec_with(tmp_path), kubeconfig=cluster.kubeconfig)}
    assert found["database"].status == "unseen" and "minorkey-database" in found["database"].remedy


@pytest.mark.parametrize(("secret", "told"), [("s3-keys", "as in Secret s3-keys"), ("", "a role")])
def test_buckets_that_no_credentials_open_from_here_are_told_apart(tmp_path, monkeypatch, secret, told):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    content = {"namespace": "minorkey", "stores": {"tracking_uri": "http://127.0.0.1:9"}}
    roots = {"study_root": "s3://bucket/studies", "bundle_root": "s3://bucket/bundles"}
    content["stores"] |= roots | {"artifact_secret": secret}
    found = {one.check: one for one in check_stores(load_cluster_spec(json.dumps(content)))}
    for name, root in (("study root", "s3://bucket/studies"), ("bundle root", "s3://bucket/bundles")):
        assert found[name].status == "unseen" and root in found[name].text
        assert "AWS_ACCESS_KEY_ID" in found[name].remedy and told in found[name].remedy


def mounted_spec(mount: Path):
    return load_cluster_spec(
        json.dumps(
            {
                "namespace": "minorkey",
                "stores": {
                    "study_root": f"{mount}/studies/a",
                    "bundle_root": f"{mount}/bundles",
                    "bundle_volume": "bundles",
                    "bundle_mount": str(mount),
                    "tracking_uri": "http://127.0.0.1:9",
                },
                "trials": {"study_volume": "studies", "study_mount": str(mount)},
            }
        )
    )


def test_folder_stores_are_written_to_where_they_are_mounted(tmp_path, monkeypatch):
    mount = tmp_path / "mount"
    monkeypatch.delenv("MINORKEY_DATABASE_URL", raising=False)

    def roots():
        found = {one.check: one for one in check_stores(mounted_spec(mount))}
        return found["study root"], found["bundle root"]

    for one in roots():
        assert one.status == "unseen" and str(mount) in one.text and "in a pod" in one.remedy
    mount.mkdir()
    assert [one.status for one in roots()] == ["ok", "ok"]
    assert list(mount.iterdir()) == []
    (mount / "bundles").write_text("a file in the way")
    study, bundles = roots()
    assert study.status == "ok"
    assert bundles.status == "problem" and "10001" in bundles.remedy
    assert str(mount / "bundles") in bundles.text


@pytest.mark.parametrize(
    ("version", "status"), [("2.14.0", "ok"), ("2.16.1", "ok"), ("2.5.0", "problem"), ("", "unseen")]
)
def test_the_version_of_kubeflow_is_asked_for(version, status):
    with serving(lambda database: setattr(database, "version", version)) as database:
        assert [one.status for one in check_kubeflow(database.url)] == [status]


def test_a_kubeflow_older_than_what_was_compiled_for_is_told():
    with serving(lambda database: setattr(database, "version", "2.15.1")) as database:
        (found,) = check_kubeflow(database.url, (2, 17))
        assert found.status == "problem" and 'kubeflow: "2.15"' in found.remedy
        assert [one.status for one in check_kubeflow(database.url, (2, 15))] == ["ok"]


def test_a_kubeflow_behind_a_login_or_broken_is_told_apart():
    with serving(lambda database: setattr(database, "token", "x")) as database:
        assert [one.status for one in check_kubeflow(database.url)] == ["unseen"]
        database.broken = 500
        assert [one.status for one in check_kubeflow(database.url)] == ["problem"]


def test_a_kubeflow_that_is_not_there_is_told():
    (found,) = check_kubeflow("http://127.0.0.1:9")
    assert found.status == "problem" and "port-forward" in found.remedy


def test_this_machine_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "new"))
    found = {one.check: one for one in diagnose()}
    assert set(found) == {"python", "packages", "home", "disk"}
    assert found["python"].status == found["home"].status == "ok"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MINORKEY_HOME", str(tmp_path / "file"))
    told = {one.check: one for one in diagnose()}
    assert told["home"].status == "problem" and "MINORKEY_HOME" in told["home"].remedy


def test_packages_that_differ_from_the_lock_are_named(tmp_path):
    (tmp_path / "constraints.txt").write_text("pydantic==0.1\nnot-installed==1.0\nminorkey==0.1.0\n")
    found = next(one for one in check_machine(tmp_path) if one.check == "packages")
    assert found.status == "warning"
    assert "pydantic" in found.text and "not-installed" not in found.text and "minorkey 0" not in found.text


def test_the_command_ends_with_2_on_a_problem_and_prints_json(cluster, tmp_path, capsys):
    file = tmp_path / "cluster.yaml"
    file.write_text(spec_with(tmp_path).canonical())
    call = ["doctor", "--cluster", str(file), "--kubeconfig", str(cluster.kubeconfig), "--json"]
    with pytest.raises(SystemExit) as ended:
        app(call, exit_on_error=False, result_action="return_value")
    assert ended.value.code == 2  # MLflow is not reached
    printed = json.loads(capsys.readouterr().out)
    assert {"check", "status", "text", "remedy"} == set(printed[0])
    assert [one["check"] for one in printed if one["status"] == "problem"] == ["tracking"]
    app(["doctor"], exit_on_error=False, result_action="return_value")
    assert "python" in capsys.readouterr().out
