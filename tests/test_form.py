"""The Kubeflow form: fields win over the JSON, and what was compiled in cannot be asked for otherwise."""

import json
from pathlib import Path

import pytest

from minorkey.cluster.spec import load_cluster_spec
from minorkey.errors import SpecError
from minorkey.form import Compiled, Form
from minorkey.spec import RunSpec, with_overrides

HERE = Compiled("registry.test/pipeline@sha256:01")
CLUSTER = load_cluster_spec(Path(__file__).parents[1] / "specs/cluster/example.yaml")
THERE = Compiled(HERE.image, CLUSTER.model_copy(update={"image": HERE.image}).canonical())


def test_an_empty_form_is_the_default_run():
    spec, assumed = Form().resolve(HERE)
    assert spec == RunSpec() and assumed == []


def test_the_json_of_a_whole_specification_comes_back_as_itself():
    spec = with_overrides(
        {
            "model": "fraud",
            "seed": 3,
            "data": {"source": "s3://b/rows.parquet", "target": "y", "positive": "yes"},
        },
        {"search.trials": 9, "split.train_windows": ["7d"], "evaluate.gate.alpha": 0.1},
    )
    assert Form(spec=spec.model_dump_json()).resolve(HERE) == (spec, [])


def test_fields_win_over_the_json_and_empty_ones_do_not():
    text = json.dumps(
        {"model": "a", "seed": 5, "search": {"trials": 9, "ensemble": 2}, "data": {"target": "t"}}
    )
    spec, _ = Form(data="s3://b/x.csv", trials=20, timeout=60.5, spec=text).resolve(HERE)
    assert (spec.data.source, spec.data.target, spec.search.trials) == ("s3://b/x.csv", "t", 20)
    assert (spec.search.timeout, spec.search.ensemble, spec.seed, spec.model) == (60.5, 2, 5, "a")
    spec, _ = Form(target="other", seed=0, model="b", spec=text).resolve(HERE)
    assert (spec.data.target, spec.seed, spec.search.trials, spec.model) == ("other", 0, 9, "b")


@pytest.mark.parametrize(("typed", "meant"), [("yes", "yes"), ("1", 1), ("true", True), ("0.5", 0.5)])
def test_the_positive_value_is_a_number_where_it_reads_as_one(typed, meant):
    spec, _ = Form(data="s3://b/x.csv", target="y", positive=typed).resolve(HERE)
    assert spec.data.positive == meant


def test_a_refit_is_a_search_of_nothing_new():
    assert Form(mode="refit").resolve(HERE)[0].search.refit
    assert not Form().resolve(HERE)[0].search.refit


def test_yaml_is_taken_too_and_the_model_is_named_after_the_data():
    spec, assumed = Form(
        data="s3://b/Card Rows.parquet", target="y", spec="search:\n  ensemble: 1\n"
    ).resolve(HERE)
    assert (spec.model, spec.search.ensemble) == ("card-rows", 1)
    assert "card-rows" in assumed[0]


@pytest.mark.parametrize(
    ("form", "key", "allowed"),
    [
        (Form(mode="fast"), "mode", "full, refit"),
        (Form(trials=-1), "trials", "at least 0"),
        (Form(timeout=-0.5), "timeout", "at least 0"),
        (Form(seed=-2), "seed", "at least -1"),
        (Form(trials=200_000), "search.trials", "from 1 to 100,000"),
        (Form(spec="{"), "spec", "JSON or YAML"),
        (Form(spec="[1]"), "spec", "sections"),
        (Form(spec='{"serach": {}}'), "serach", "search"),
        (Form(spec='{"data": 3}'), "data", ""),
        (Form(data="s3://b/x.csv"), "data.target", ""),
    ],
)
def test_what_does_not_fit_names_the_field(form, key, allowed):
    with pytest.raises(SpecError) as caught:
        form.resolve(HERE)
    assert caught.value.key == key and allowed in caught.value.allowed


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"image": "registry.test/other:latest"}, "image"),
        ({"cluster": {"namespace": "other"}}, "cluster.namespace"),
        ({"cluster": {"trials": {"slots": 21}}}, "cluster.trials.slots"),
        ({"cluster": {"trials": {"gpu": None}}}, "cluster.trials.gpu"),
        ({"cluster": {"pods": 3}}, "cluster.pods"),
        ({"namespace": "other"}, "namespace"),
        ({"stores": {"study_root": "s3://x/y"}}, "stores"),
        ({"trials": {"slots": 3}}, "trials"),
    ],
)
def test_a_run_that_asks_for_another_cluster_or_image_is_refused(content, key):
    with pytest.raises(SpecError, match="another cluster or image") as caught:
        Form(spec=json.dumps(content)).resolve(THERE)
    assert caught.value.key == key and "compile" in caught.value.remedy


def test_a_run_may_repeat_what_was_compiled_in():
    content = {"image": THERE.image, "cluster": {"namespace": "minorkey", "trials": {"slots": 20}}}
    assert Form(spec=json.dumps(content)).resolve(THERE)[0].data == RunSpec().data


def test_on_a_cluster_nothing_serves_from_a_pod_of_the_run():
    spec, assumed = Form().resolve(THERE)
    assert spec.deploy.target == "none" and "deploy.target" in assumed[0]
    with pytest.raises(SpecError) as caught:
        Form(spec='{"deploy": {"target": "local"}}').resolve(THERE)
    assert (caught.value.key, caught.value.value) == ("deploy.target", "local")


@pytest.mark.parametrize(
    ("target", "section"),
    [
        ("kserve", {"image": "registry.test/a@sha256:1"}),
        ("gitops", {"repository": "git@git.test:a"}),
    ],
)
def test_a_cluster_that_serves_is_where_its_runs_deploy(target, section):
    content = json.loads(THERE.cluster) | {"serving": {target: section}}
    there = Compiled(THERE.image, json.dumps(content))
    spec, assumed = Form().resolve(there)
    assert spec.deploy.target == target and target in assumed[0]
    assert Form(spec=f'{{"deploy": {{"target": "{target}"}}}}').resolve(there)[0].deploy.target == target
    assert Form(spec='{"deploy": {"target": "none"}}').resolve(there)[0].deploy.target == "none"
    for place in (HERE, THERE):
        with pytest.raises(SpecError) as caught:
            Form(spec=f'{{"deploy": {{"target": "{target}"}}}}').resolve(place)
        assert caught.value.key == "deploy.target" and f"serving.{target}" in caught.value.remedy


def test_on_this_machine_no_cluster_can_be_asked_for():
    with pytest.raises(SpecError, match="another cluster") as caught:
        Form(spec='{"cluster": {"namespace": "x"}}').resolve(HERE)
    assert "this machine" in caught.value.allowed


def test_a_clusters_prefix_is_in_front_of_its_models_once():
    content = json.loads(THERE.cluster) | {"model_prefix": "prod-"}
    there = Compiled(HERE.image, json.dumps(content))
    for given in ("fraud", "prod-fraud"):
        spec, assumed = Form(model=given, spec='{"search": {"trials": 9}}').resolve(there)
        assert (spec.model, spec.search.trials) == ("prod-fraud", 9)
        assert any("model is prod-fraud" in text for text in assumed) == (given == "fraud")
    assert Form().resolve(there)[0].model == "prod-minorkey"
    assert Form(model="fraud").resolve(THERE)[0].model == "fraud"
    with pytest.raises(SpecError) as caught:
        Form(model="a" * 38).resolve(there)
    assert caught.value.key == "model" and "prod- in front" in caught.value.remedy
    with pytest.raises(SpecError, match="model_prefix"):
        load_cluster_spec(json.dumps(content | {"model_prefix": "Prod"}))


def test_a_canary_has_to_end_before_its_step():
    content = json.loads(THERE.cluster) | {"serving": {"kserve": {"image": "a@sha256:1", "gateway": True}}}
    there = Compiled(THERE.image, json.dumps(content))
    assert Form(spec='{"deploy": {"canary": {"minutes": 100}}}').resolve(there)[0].deploy.target == "kserve"
    with pytest.raises(SpecError) as caught:
        Form(spec='{"deploy": {"canary": {"minutes": 120}}}').resolve(there)
    assert caught.value.key == "deploy.canary.minutes" and "120 minutes" in caught.value.allowed
    Form(spec='{"deploy": {"target": "none", "canary": {"minutes": 120}}}').resolve(there)
