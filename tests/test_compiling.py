"""What compiling for a cluster bakes in: images, resources, stores, identities, and nothing more."""

from pathlib import Path

import pytest
import yaml

from minorkey.cli import app
from minorkey.cluster.serving import Serving
from minorkey.cluster.spec import load_cluster_spec
from minorkey.errors import SpecError, StateError
from pipelines.compiling import compile_pipelines
from pipelines.placement import CREDENTIALS
from pipelines.versions import version_of

ROOT = Path(__file__).parents[1]
CLUSTER = load_cluster_spec(ROOT / "specs/cluster/example.yaml")
DIGEST = "registry.test/minorkey@sha256:" + "ab" * 32
STEPS = {"configure", "load", "preprocess", "tune", "evaluate", "register", "deploy", "release"}


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    path, *_ = compile_pipelines(tmp_path_factory.mktemp("compiled"), DIGEST, CLUSTER)
    pipeline, platform = yaml.safe_load_all(path.read_text())
    return pipeline, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def secrets_of(platform: dict) -> dict[str, set[str]]:
    """By step: the Secrets that its pod sees."""
    return {
        name.removeprefix("exec-"): {
            *(one["secretName"] for one in given.get("secretAsEnv", [])),
            *(one["secretName"] for one in given.get("secretAsVolume", [])),
        }
        for name, given in platform.items()
    }


def test_each_step_sees_only_the_secrets_that_it_needs(documents):
    stores = {"minorkey-artifacts", "minorkey-tracking"}
    assert secrets_of(documents[1]) == {
        "configure": set(),
        "load": {*stores, "minorkey-database"},
        "preprocess": set(),
        "tune": {*stores, "minorkey-database", "minorkey-tune-token"},
        "evaluate": {*stores, "minorkey-database"},
        "register": stores,
        "deploy": {*stores, "minorkey-deploy-token"},
        "release": {"minorkey-database"},
    }


def test_tokens_and_the_database_are_files_and_never_variables(documents):
    pipeline, platform = documents
    for given in platform.values():
        assert {"minorkey-database", "minorkey-tune-token", "minorkey-deploy-token"}.isdisjoint(
            one["secretName"] for one in given.get("secretAsEnv", [])
        )
    mounted = {
        one["secretName"]: one["mountPath"]
        for given in platform.values()
        for one in given.get("secretAsVolume", [])
    }
    variables = environment(pipeline, "tune")
    assert mounted["minorkey-tune-token"] == variables["MINORKEY_KUBERNETES_CREDENTIALS"] == CREDENTIALS
    assert variables["MINORKEY_DATABASE_URL_FILE"] == f"{mounted['minorkey-database']}/url"


def environment(pipeline: dict, step: str) -> dict[str, str]:
    container = pipeline["deploymentSpec"]["executors"][f"exec-{step}"]["container"]
    return {one["name"]: one["value"] for one in container.get("env", [])}


def test_every_pod_runs_as_a_plain_user_with_a_deadline_and_its_resources(documents):
    pipeline, platform = documents
    assert {name.removeprefix("exec-") for name in platform} == STEPS
    for step in STEPS:
        given, asked = platform[f"exec-{step}"], CLUSTER.step(step)
        context = {"runAsUser": "10001", "runAsGroup": "10001", "runAsNonRoot": True}
        assert given["securityContext"] == context
        assert given["activeDeadlineSeconds"] == str(asked.timeout_seconds)
        container = pipeline["deploymentSpec"]["executors"][f"exec-{step}"]["container"]
        assert container["image"] == DIGEST
        assert (
            container["resources"]["resourceCpuLimit"]
            == container["resources"]["resourceCpuRequest"]
            == asked.cpu
        )
        assert container["resources"]["resourceMemoryLimit"] == asked.memory


def test_an_older_kubeflow_sees_no_field_that_its_driver_would_refuse(tmp_path):
    path, *_ = compile_pipelines(tmp_path, DIGEST, CLUSTER.model_copy(update={"kubeflow": "2.14"}))
    _, platform = yaml.safe_load_all(path.read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert not any("securityContext" in given for given in executors.values())
    assert secrets_of(executors)["tune"] >= {"minorkey-tune-token"}


def test_only_steps_that_may_be_repeated_are(documents):
    pipeline, _ = documents
    groups = [pipeline["root"], *pipeline["components"].values()]
    tasks = {name: task for group in groups if "dag" in group for name, task in group["dag"]["tasks"].items()}
    retried = {
        name: task["retryPolicy"]["maxRetryCount"] for name, task in tasks.items() if "retryPolicy" in task
    }
    assert retried == {"tune": 2, "release": 2}


def test_the_cluster_reaches_tune_with_the_image_that_was_compiled_in(documents):
    pipeline, _ = documents
    inner = pipeline["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    baked = inner["tune"]["inputs"]["parameters"]["cluster"]["runtimeValue"]["constant"]
    assert load_cluster_spec(baked) == CLUSTER.model_copy(update={"image": DIGEST})


def test_volumes_are_mounted_where_roots_are_folders(tmp_path):
    content = CLUSTER.model_dump(mode="json")
    content["stores"] |= {"study_root": "/study/a", "bundle_root": "/bundles/b", "bundle_volume": "bundles"}
    content["trials"] |= {"study_volume": "studies"}
    path, *_ = compile_pipelines(tmp_path, DIGEST, load_cluster_spec(yaml.safe_dump(content)))
    _, platform = yaml.safe_load_all(path.read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounts = {
        name.removeprefix("exec-"): {(one["constant"], one["mountPath"]) for one in given.get("pvcMount", [])}
        for name, given in executors.items()
    }
    assert mounts.pop("tune") == {("studies", "/study"), ("bundles", "/bundles")}
    bundles = {name for name, given in mounts.items() if given == {("bundles", "/bundles")}}
    assert bundles == {"load", "evaluate", "register", "deploy"}


def test_where_models_ship_by_git_the_deploy_step_reaches_git_and_not_the_cluster(tmp_path):
    content = CLUSTER.model_dump(mode="json")
    content["serving"] |= {"kserve": None, "gitops": {"repository": "git@git.test:models.git"}}
    path, *_ = compile_pipelines(tmp_path, DIGEST, load_cluster_spec(yaml.safe_dump(content)))
    pipeline, platform = yaml.safe_load_all(path.read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    seen = secrets_of(executors)
    assert seen["deploy"] == {"minorkey-artifacts", "minorkey-tracking", "minorkey-git"}
    assert "minorkey-git" not in set().union(*(seen[step] for step in STEPS - {"deploy"}))
    environment = pipeline["deploymentSpec"]["executors"]["exec-deploy"]["container"]["env"]
    named = {one["name"]: one["value"] for one in environment}
    (mount,) = (
        one for one in executors["exec-deploy"]["secretAsVolume"] if one["secretName"] == "minorkey-git"
    )
    assert named["MINORKEY_GIT_CREDENTIALS"] == mount["mountPath"]
    assert "MINORKEY_KUBERNETES_CREDENTIALS" not in named


def test_compiling_for_a_cluster_leaves_the_other_build_as_it_was(tmp_path):
    compile_pipelines(tmp_path / "cluster", DIGEST, CLUSTER)
    path, *_ = compile_pipelines(tmp_path / "plain")
    assert path.read_text() == (ROOT / "pipelines/compiled/tune.yaml").read_text()


def test_a_cluster_without_an_image_is_refused(tmp_path):
    with pytest.raises(SpecError, match="needs an image") as caught:
        compile_pipelines(tmp_path, None, CLUSTER.model_copy(update={"image": None}))
    assert "--image" in caught.value.remedy


@pytest.mark.parametrize(
    "image", ["registry.test/minorkey:1.0", "registry.test/minorkey@sha256:12", "minorkey"]
)
def test_a_release_refuses_an_image_that_can_change(tmp_path, image):
    with pytest.raises(SpecError, match="by digest") as caught:
        compile_pipelines(tmp_path, image, CLUSTER, release=True)
    assert (caught.value.key, caught.value.value) == ("image", image)
    assert list(tmp_path.iterdir()) == []


def test_a_release_refuses_a_trial_image_that_can_change(tmp_path):
    trials = CLUSTER.trials.model_copy(update={"image": "registry.test/trial:latest"})
    with pytest.raises(SpecError, match="by digest") as caught:
        compile_pipelines(tmp_path, DIGEST, CLUSTER.model_copy(update={"trials": trials}), release=True)
    assert caught.value.key == "trials.image"


def test_a_release_refuses_a_predictor_image_that_can_change(tmp_path):
    predictor = {"image": "registry.test/predictor:latest"}
    for serving in (
        {"kserve": predictor},
        {"gitops": {"repository": "git@a.test:b.git", "predictor": predictor}},
    ):
        cluster = CLUSTER.model_copy(update={"serving": Serving.model_validate(serving)})
        with pytest.raises(SpecError, match="by digest") as caught:
            compile_pipelines(tmp_path, DIGEST, cluster, release=True)
        assert caught.value.value == predictor["image"]
        assert caught.value.key.endswith(f"{'predictor' if 'gitops' in serving else 'kserve'}.image")


def test_the_command_compiles_a_release(tmp_path, capsys):
    cluster = str(ROOT / "specs/cluster/example.yaml")
    call = ["compile", "--cluster", cluster, "--image", DIGEST, "--release", "--out", str(tmp_path)]
    app(call, exit_on_error=False, result_action="return_value")
    written = [tmp_path / "tune.yaml", tmp_path / "adjust.yaml"]
    assert capsys.readouterr().out.split() == [str(path) for path in written]
    assert all(DIGEST in path.read_text() for path in written)


@pytest.mark.slow
def test_as_kubernetes_objects_every_change_is_a_version_of_its_own(tmp_path):
    (package, *_) = compile_pipelines(tmp_path / "packages", DIGEST, CLUSTER)
    out = tmp_path / "component"

    def objects(image):
        compile_pipelines(out, image, CLUSTER, kubernetes_native=True)
        listed = yaml.safe_load((out / "kustomization.yaml").read_text())
        assert listed["kind"] == "Component"
        documents = [
            one for name in listed["resources"] for one in yaml.safe_load_all((out / name).read_text())
        ]
        return {(one["kind"], one["metadata"]["name"]): one for one in documents}

    written, version = objects(DIGEST), version_of("tune", package)
    assert {("Pipeline", "tune"), ("Pipeline", "adjust"), ("PipelineVersion", version)} < set(written)
    assert objects(DIGEST) == written
    told = written["PipelineVersion", version]
    assert told["spec"]["pipelineName"] == "tune"
    compiled = list(yaml.safe_load_all(package.read_text()))
    assert [told["spec"]["pipelineSpec"], told["spec"]["platformSpec"]] == compiled
    assert told["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false"
    assert ("PipelineVersion", version) not in objects(DIGEST.replace("ab", "cd"))
    (out / "tune.yaml").touch()
    with pytest.raises(StateError, match="something else"):
        compile_pipelines(out, DIGEST, CLUSTER, kubernetes_native=True)
