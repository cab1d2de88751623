"""ClusterSpec: what it takes, and that it names what it does not."""

import json
from pathlib import Path

import pytest

from minorkey.cluster.quantities import parse_quantity
from minorkey.cluster.spec import STEPS, load_cluster_spec
from minorkey.errors import SpecError

EXAMPLE = Path(__file__).parents[2] / "specs/cluster/example.yaml"
STORES = {
    "study_root": "s3://a/studies",
    "bundle_root": "s3://a/bundles",
    "tracking_uri": "http://mlflow:5000",
}


def spec_with(**sections):
    return load_cluster_spec(json.dumps({"namespace": "minorkey", "stores": STORES, **sections}))


def test_the_example_is_read_from_its_file_and_from_its_own_json():
    spec = load_cluster_spec(EXAMPLE)
    assert load_cluster_spec(spec.canonical()) == spec
    assert spec.trials.gpu.tolerations[0].manifest() == {
        "key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule",
    }  # fmt: skip


def test_a_step_has_what_is_given_else_what_suits_it():
    spec = spec_with(steps={"evaluate": {"cpu": "3"}})
    assert (spec.step("evaluate").cpu, spec.step("evaluate").retries) == ("3", 0)
    assert spec.step("tune").retries == 2
    assert spec.step("configure").memory == "512Mi"
    assert all(spec.step(name).timeout_seconds > 0 for name in STEPS)


@pytest.mark.parametrize(
    ("sections", "key", "allowed"),
    [
        ({"namespaces": "x"}, "namespaces", "namespace"),
        ({"namespace": "Not_A_Name"}, "namespace", "a Kubernetes name"),
        ({"kubeflow": "2.13"}, "kubeflow", "2.14 or later"),
        ({"stores": {**STORES, "tracking_uri": "mlflow:5000"}}, "stores.tracking_uri", "MLflow"),
        ({"stores": {**STORES, "study_root": "gs://a/b"}}, "stores.study_root", "s3://"),
        ({"trials": {"cpu": {"memory": "4 GB"}}}, "trials.cpu.memory", "a quantity such as"),
        ({"trials": {"cpu": {"cores": 2}}}, "trials.cpu.cores", "cpu"),
        ({"trials": {"slots": 0}}, "trials.slots", "from 1 to 10,000"),
        ({"trials": {"gpu": {"gpuz": 1}}}, "trials.gpu.gpuz", "gpus"),
        ({"trials": {"gpu": {"tolerations": [{"effects": 1}]}}}, "trials.gpu.tolerations.0.effects", ""),
        ({"steps": {"tune": {"cpus": 2}}}, "steps.tune.cpus", "cpu"),
        ({"service_accounts": {"tune": "UPPER"}}, "service_accounts.tune", "a Kubernetes name"),
    ],
)  # fmt: skip
def test_what_does_not_fit_names_key_value_and_what_is_allowed(sections, key, allowed):
    with pytest.raises(SpecError) as caught:
        spec_with(**sections)
    assert caught.value.key == key
    assert allowed in caught.value.allowed
    assert "cluster.md" in caught.value.remedy


def test_a_step_that_does_not_exist_is_refused():
    with pytest.raises(SpecError) as caught:
        spec_with(steps={"train": {"cpu": "2"}})
    assert caught.value.key.startswith("steps.train") and "tune" in caught.value.allowed


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"stores": {**STORES, "study_root": "/study/a"}}, "trials.study_volume"),
        ({"stores": {**STORES, "bundle_root": "/bundles"}}, "stores.bundle_volume"),
        ({"stores": {**STORES, "study_root": "/other/a"}, "trials": {"study_volume": "v"}}, "not below"),
        ({"trials": {"gpu": {"cpu": "2"}}}, "trials.gpu.gpus is 0"),
        ({"trials": {"cpu": {"gpus": 1}}}, "under trials.gpu"),
        ({"serving": {"kserve": {"image": "a"}, "gitops": {"repository": "git@h:b"}}}, "keep one of them"),
        ({"serving": {"kserve": {"image": "a", "min_replicas": 11}}}, "below min_replicas 11"),
        ({"trials": {"cpu": {"tolerations": [{"operator": "Exists", "value": "x"}]}}}, "takes no value"),
    ],
)
def test_combinations_that_cannot_work_are_refused(sections, told):
    with pytest.raises(SpecError, match=told):
        spec_with(**sections)


def test_a_study_on_a_volume_is_accepted_below_its_mount():
    stores = {**STORES, "study_root": "/study/fraud"}
    assert spec_with(stores=stores, trials={"study_volume": "studies"}).stores.study_root == "/study/fraud"


def test_a_missing_section_is_told_without_the_whole_file():
    with pytest.raises(SpecError, match="required") as caught:
        load_cluster_spec("namespace: minorkey")
    assert caught.value.key == "stores" and caught.value.value is None


@pytest.mark.parametrize(("text", "told"), [("a: [", "not valid YAML"), ("- a", "not a mapping")])
def test_a_text_that_is_no_specification_is_told(text, told):
    with pytest.raises(SpecError, match=told):
        load_cluster_spec(text)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SpecError, match="cannot be read") as caught:
        load_cluster_spec(tmp_path / "none.yaml")
    assert caught.value.key.endswith("none.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [("500m", 0.5), ("2", 2), (3, 3), ("4Gi", 4 * 2**30), ("1k", 1_000), ("1e3", 1_000), ("250000u", 0.25)],
)
def test_quantities_are_plain_numbers(text, value):
    assert float(parse_quantity(text)) == value


@pytest.mark.parametrize("text", ["", "4 GB", "Gi", "-1", "1.2.3"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(SpecError, match="quantity"):
        parse_quantity(text, key="cpu")
