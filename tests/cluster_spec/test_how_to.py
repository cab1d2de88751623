"""The how-to: its cluster specifications are valid, its Role is what driving trials takes."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from minorkey.cluster.checks.permissions import NEEDED
from minorkey.cluster.spec import load_cluster_spec
from minorkey.form import MODES, Form
from tests.manifests.built import build

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/run-on-kubeflow.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
APPLIED = re.findall(r"kubectl apply -k manifests/(\S+)", PAGE)
MANIFESTS = [one for folder in APPLIED for one in build(folder)]


def whole(block: str) -> str:
    """A fragment on top of what every specification needs."""
    base = yaml.safe_load((ROOT / "specs/cluster/example.yaml").read_text())
    return yaml.safe_dump({key: base[key] for key in ("namespace", "stores")} | yaml.safe_load(block))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_every_specification_and_fragment_is_valid(block):
    assert load_cluster_spec(whole(block)).trials


def test_the_specification_for_kind_names_what_the_page_makes():
    (kind,) = [block for block in BLOCKS if block.startswith("namespace:")]
    spec = load_cluster_spec(kind)
    made = {
        (one["kind"], one["metadata"].get("namespace", "kubeflow"), one["metadata"]["name"])
        for one in MANIFESTS
    }
    accounts = spec.service_accounts
    for name in (accounts.pipeline, accounts.tune, accounts.deploy):
        assert ("ServiceAccount", spec.namespace, name) in made
    for name in (accounts.tune, accounts.deploy):
        assert ("Secret", spec.namespace, f"{name}-token") in made
    assert ("ServiceAccount", spec.trial_namespace, spec.trials.service_account) in made
    secrets = dict(re.findall(r"kubectl -n (\S+) create secret generic (\S+)", PAGE))
    assert secrets == {"kubeflow": "minorkey-database", "minorkey-trials": "minorkey-study"}
    assert f"create secret generic {spec.stores.artifact_secret}" in PAGE


def test_the_role_of_the_page_is_exactly_what_is_needed():
    (role,) = [
        one for one in MANIFESTS if one["kind"] == "Role" and one["metadata"]["name"] == "minorkey-tune"
    ]
    rules = {(rule["apiGroups"][0], rule["resources"][0], tuple(rule["verbs"])) for rule in role["rules"]}
    assert rules == set(NEEDED)


def test_tokens_are_secrets_of_the_accounts_that_they_are_for():
    for one in MANIFESTS:
        if one["kind"] == "Secret":
            account = one["metadata"]["annotations"]["kubernetes.io/service-account.name"]
            assert (one["metadata"]["name"], one["type"]) == (
                f"{account}-token",
                "kubernetes.io/service-account-token",
            )


def test_the_page_names_images_as_they_are_built():
    (length,) = re.findall(r"IMAGE_TAG:-\$\{revision:0:(\d+)\}", (ROOT / "images/build").read_text())
    assert set(re.findall(r"git rev-parse \S+", PAGE)) == {f"git rev-parse --short={length}"}


def test_the_page_names_every_field_and_mode_of_the_form():
    (told,) = re.findall(r"\*\*The form\.\*\*(.*?)\n- \*\*", PAGE, flags=re.DOTALL)
    assert set(re.findall(r"`(\w+)`", told)) >= {one.name for one in dataclasses.fields(Form)} | set(MODES)
