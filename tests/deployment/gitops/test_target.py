"""From a promoted version to a commit, a verified predictor and the alias; and back by the revert commit."""

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.deployment.gitops.change import Patience
from minorkey.deployment.gitops.confirmation import confirm
from minorkey.deployment.gitops.problems import Unreached
from minorkey.deployment.gitops.repository import Repository
from minorkey.deployment.gitops.revert import revert
from minorkey.deployment.gitops.target import GitOpsTarget
from minorkey.deployment.target import Release
from minorkey.errors import BundleError, StateError
from minorkey.registry import move_champion, pending_of, rollback_note, store_bundle
from minorkey.registry.graph_log import lineage_tags
from minorkey.serving.follower import load_target
from minorkey.serving.pointer import Target
from minorkey.serving.predictor import Predictor
from minorkey.serving.server import bind, predictor_server, url_of
from minorkey.serving.slot import Slot
from minorkey.tracking import champion_version, client
from tests.deployment.gitops.server import Bare, manifest
from tests.serving.bundles import small_bundle

PATIENCE = Patience(seconds=30, first=0.02, longest=0.2)
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    folder = tmp_path_factory.mktemp("bundles")
    return [small_bundle(folder / str(seed), seed=seed) for seed in range(3)]


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    for name in ("MLFLOW_TRACKING_URI", "MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR"):
        monkeypatch.delenv(name, raising=False)


@dataclass
class Site:
    """A model with its file in Git, its versions in the registry, and a predictor in place of Argo CD's."""

    model: str
    bare: Bare
    target: GitOpsTarget
    bundles: list[Bundle]
    slot: Slot
    url: str

    @property
    def path(self) -> str:
        return f"models/{self.model}/inferenceservice.yaml"

    def release(self, number: int, expected: str = "", run_key: str = "") -> Release:
        bundle = self.bundles[number]
        uri = store_bundle(bundle.folder, bundle.digest)
        tags = lineage_tags(bundle, run_key or f"{self.model}-{number}", uri)
        tags |= {"minorkey.decision_reason": "better than chance", "minorkey.compared_with": expected}
        made = client().create_model_version(self.model, source=uri, tags=tags)
        return Release(self.model, str(made.version), bundle, uri, expected)

    def ship(self, number: int, expected: str = "") -> Release:
        release = self.release(number, expected)
        self.target.deploy(release)
        return release

    def sync(self) -> str:
        """What Argo CD does: the predictor serves what Git holds. Gives its address."""
        held = self.target.read(self.model)
        assert held is not None
        self.slot.swap(load_target(self.model, Target(held.version, held.bundle_uri)))
        return self.url

    def champion(self, number: int, expected: str = "") -> Release:
        release = self.ship(number, expected)
        held = self.target.read(self.model)
        assert held is not None
        confirm(self.model, held.digest, self.sync(), seconds=30)
        return release

    def tags(self, version: str) -> dict[str, str]:
        return dict(client().get_model_version(self.model, version).tags)


@pytest.fixture
def site(tmp_path: Path, bundles: list[Bundle]) -> Iterator[Site]:
    model = f"cards-{next(NUMBERS)}"
    bare = Bare(tmp_path / "models.git", {f"models/{model}/inferenceservice.yaml": manifest(model)})
    target = GitOpsTarget(Repository(bare.address), patience=PATIENCE)
    client().create_registered_model(model)
    slot = Slot(Predictor(bundles[0], model, "before"))
    with bind("127.0.0.1", 0) as listener:
        server = predictor_server(slot)
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        serving.start()
        try:
            yield Site(model, bare, target, bundles, slot, url_of(listener))
        finally:
            server.should_exit = True
            serving.join()


def test_a_version_is_pending_until_it_serves(site: Site) -> None:
    release = site.release(0)
    told = site.target.deploy(replace(release, reason="better\nby  far"))
    assert told["pending"]
    assert (told["commit"], told["branch"], told["path"]) == (site.bare.tip(), "main", site.path)
    assert champion_version(site.model) == ""
    waits = pending_of(site.model, release.version)
    assert waits is not None
    assert (waits.commit, waits.expected, waits.reason) == (site.bare.tip(), "", "better\nby  far")
    message = site.bare.messages()[0]
    assert message.startswith(f"{site.model}: serve version {release.version}\n\nWhy: better by far\n")
    text = manifest(site.model, release.bundle.digest, f'"{release.bundle_uri}"', release.version)
    assert site.bare.read(site.path) == text

    done = confirm(site.model, release.bundle.digest, site.sync(), seconds=30)
    assert (done.version, done.left, champion_version(site.model)) == (release.version, "", release.version)
    assert done.largest_difference <= 1e-6
    assert pending_of(site.model, release.version) is None
    again = confirm(site.model, release.bundle.digest, site.sync(), seconds=30)
    assert again.version == again.left == release.version

    count = site.bare.count()
    assert not site.target.deploy(release)["pending"]
    assert site.bare.count() == count


def test_a_reason_that_nobody_gave_is_the_gates(site: Site) -> None:
    site.ship(0)
    assert "Why: better than chance" in site.bare.messages()[0]


def test_the_next_version_keeps_what_people_changed(site: Site) -> None:
    first = site.champion(0)
    by_hand = site.bare.read(site.path).replace("minReplicas:   2 ", "minReplicas: 3 ") + "# a note\n"
    site.bare.write({site.path: by_hand}, "Three replicas")
    second = site.champion(1, first.version)
    assert champion_version(site.model) == second.version
    expected = by_hand.replace(first.bundle.digest, second.bundle.digest)
    assert site.bare.read(site.path) == expected.replace(f"'{first.version}'", f"'{second.version}'")


def test_a_step_that_is_run_again_commits_once(site: Site) -> None:
    release = site.release(0)
    first = site.target.deploy(release)
    site.bare.write({"other": "x"}, "Something else")
    again = site.target.deploy(release)
    assert again["commit"] == first["commit"] != site.bare.tip()
    assert site.bare.count() == 3


def test_what_the_version_was_not_compared_with_is_not_replaced(site: Site) -> None:
    first = site.champion(0)
    second = site.ship(1, first.version)
    third = site.release(2, first.version)
    with pytest.raises(StateError, match=f"version {second.version} is in Git and not champion yet"):
        site.target.deploy(third)
    assert pending_of(site.model, third.version) is None
    assert pending_of(site.model, second.version) is not None
    by_hand = site.bare.read(site.path).replace(second.bundle.digest, "f00")
    site.bare.write({site.path: by_hand}, "By hand")
    with pytest.raises(StateError, match="Git serves another version") as raised:
        site.target.deploy(third)
    assert raised.value.value == "digest f00"


def test_another_bundle_of_the_same_run_takes_its_place(site: Site) -> None:
    site.target.deploy(site.release(0, run_key="one"))
    second = site.release(1, run_key="one")
    site.target.deploy(second)
    held = site.target.read(site.model)
    assert held is not None
    assert held.version == second.version


def test_two_that_meet_do_not_overwrite_each_other(site: Site) -> None:
    """The second is compared with the champion, and the first arrives between its look and its push."""
    first = site.champion(0)
    second, third = site.release(1, first.version), site.release(2, first.version)
    target, arrived = site.target, []

    def slow(uri: str) -> str:
        if not arrived:
            arrived.append(target.deploy(second))
        return uri

    with pytest.raises(StateError, match="was not compared with it"):
        replace(target, storage=slow).deploy(third)
    held = target.read(site.model)
    assert held is not None
    assert held.version == second.version


def test_a_failed_commit_leaves_no_tag_and_a_lost_one_does(site: Site) -> None:
    release = site.release(0)
    site.bare.hook("pre-receive", "exit 1")
    with pytest.raises(StateError, match="declined"):
        site.target.deploy(release)
    assert pending_of(site.model, release.version) is None
    gone = Repository("git://127.0.0.1:9/models.git")
    with pytest.raises(Unreached):
        replace(site.target, repository=gone, patience=Patience(0)).deploy(release)
    before = pending_of(site.model, release.version)
    assert before is not None
    with pytest.raises(StateError, match="declined"):
        site.target.deploy(replace(release, reason="another one"))
    assert pending_of(site.model, release.version) == before


def test_a_merge_request_waits_on_a_branch_of_its_own(site: Site) -> None:
    site.bare.hook("update", 'test "$1" != refs/heads/main')
    site.bare.git("config", "receive.advertisePushOptions", "true")
    site.bare.hook("post-receive", 'env | grep ^GIT_PUSH > pushed; echo "https://git.example/mr/1" >&2')
    target = replace(site.target, by_merge_request=True)
    release = site.release(0)
    told = target.deploy(release)
    asked = told["merge_request"]
    assert (told["branch"], asked["into"]) == (asked["branch"], "main")
    assert asked["url"] == "https://git.example/mr/1"
    assert asked["title"] == f"{site.model}: serve version {release.version}"
    assert "Why: better than chance" in asked["body"]
    assert release.bundle.digest in asked["body"]
    options = (site.bare.folder / "pushed").read_text()
    assert "merge_request.create" in options
    assert "merge_request.target=main" in options
    assert site.bare.read(site.path) == manifest(site.model)
    waits = pending_of(site.model, release.version)
    assert waits is not None
    assert waits.branch == told["branch"]

    again = target.deploy(release)
    assert again["commit"] == told["commit"]
    assert again["merge_request"]["body"] == asked["body"]
    (site.bare.folder / "hooks" / "update").unlink()
    site.bare.git("update-ref", "refs/heads/main", told["commit"])
    assert target.deploy(release)["branch"] == "main"
    assert confirm(site.model, release.bundle.digest, site.sync(), seconds=30).version == release.version


def test_a_version_that_comes_back_asks_by_a_new_branch_each_time(site: Site) -> None:
    """The branches of earlier requests are still there: what was merged long ago asks for nothing."""
    target, bare = replace(site.target, by_merge_request=True), site.bare
    releases = [site.release(0)]
    releases.append(site.release(1, releases[0].version))
    asked: list[str] = []

    def merge(commit: str) -> None:
        tree = bare.git("rev-parse", f"{commit}^{{tree}}").strip()
        merged = bare.git("commit-tree", tree, "-p", bare.tip(), "-p", commit, "-m", "Merge").strip()
        bare.git("update-ref", "refs/heads/main", merged)
        held = target.read(site.model)
        assert held is not None
        confirm(site.model, held.digest, site.sync(), seconds=30)

    for release in releases:
        merge(target.deploy(release)["commit"])
    for version in (0, 1, 0):
        before = bare.tip()
        done = revert(target, site.model, to=releases[version].version, reason="r")
        again = revert(target, site.model, to=releases[version].version, reason="r")
        assert again.pushed.commit == done.pushed.commit
        assert bare.git("rev-parse", f"{done.pushed.commit}^").strip() == before == bare.tip()
        waits = pending_of(site.model, releases[version].version)
        assert waits is not None
        assert waits.branch == done.pushed.branch
        asked.append(done.pushed.branch)
        merge(done.pushed.commit)
        assert champion_version(site.model) == releases[version].version
    assert len({*asked}) == 3


def test_a_model_without_a_file_gets_one_or_says_how(site: Site) -> None:
    release = site.release(0)
    nowhere = replace(site.target, folder="other/{model}")
    with pytest.raises(StateError, match="no file in the repository"):
        nowhere.deploy(release)

    def first(asked: Release) -> dict[str, str]:
        text = manifest(site.model, asked.bundle.digest, asked.bundle_uri, asked.version)
        return {"inferenceservice.yaml": text, "more.yaml": "more: 1\n", "kept.yaml": "ours: 1\n"}

    site.bare.write({f"other/{site.model}/kept.yaml": "by: hand\n"}, "Prepared")
    replace(nowhere, first=first).deploy(release)
    assert site.bare.read(f"other/{site.model}/more.yaml") == "more: 1\n"
    assert site.bare.read(f"other/{site.model}/kept.yaml") == "by: hand\n"


def test_nothing_but_git_is_asked(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that is within reach is left alone: its API hears nothing."""
    with socket.create_server(("127.0.0.1", 0)) as api:
        api.settimeout(0.2)
        server = f"http://127.0.0.1:{api.getsockname()[1]}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "c", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
        }
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        first = site.champion(0)
        site.champion(1, first.version)
        revert(site.target, site.model, reason="r")
        with pytest.raises(TimeoutError):
            api.accept()


def test_the_alias_waits_for_a_predictor_that_serves_what_git_holds(site: Site) -> None:
    first = site.champion(0)
    url = site.url
    second = site.ship(1, first.version)
    with pytest.raises(StateError, match="do not serve the bundle that Git holds") as raised:
        confirm(site.model, second.bundle.digest, url, seconds=0.5)
    assert f"version {first.version}" in str(raised.value)
    with pytest.raises(StateError, match="do not serve"):
        confirm(site.model, second.bundle.digest, "http://127.0.0.1:9", seconds=0.5)
    assert champion_version(site.model) == first.version
    assert pending_of(site.model, second.version) is not None
    assert confirm(site.model, second.bundle.digest, site.sync(), seconds=30).left == first.version
    assert champion_version(site.model) == second.version


def test_a_champion_that_is_another_by_now_keeps_its_alias(site: Site) -> None:
    first = site.champion(0)
    second = site.ship(1, first.version)
    third = site.release(2, first.version)
    move_champion(site.model, third.version, expected=first.version)
    with pytest.raises(StateError, match="champion changed"):
        confirm(site.model, second.bundle.digest, site.sync(), seconds=30)
    assert champion_version(site.model) == third.version


def test_a_digest_that_nobody_registered_or_promoted_moves_nothing(site: Site) -> None:
    first = site.champion(0)
    other = site.release(1, first.version)
    with pytest.raises(StateError, match="no version with the bundle"):
        confirm(site.model, "f" * 64, site.sync(), seconds=1)
    with pytest.raises(StateError, match="neither promoted nor champion before"):
        confirm(site.model, other.bundle.digest, site.sync(), seconds=1)
    assert champion_version(site.model) == first.version


def test_a_rollback_is_the_revert_commit_and_the_alias_follows(site: Site) -> None:
    first = site.champion(0)
    second = site.champion(1, first.version)
    shipped = site.bare.tip()
    site.bare.write({"README": "x"}, "Something else")
    done = revert(site.target, site.model, reason="too many alarms")
    assert (done.left, done.version, done.withdrawn) == (second.version, first.version, False)
    message = site.bare.messages()[0]
    assert message.startswith(f'Revert "{site.model}: serve version {second.version}"\n\n')
    assert f"This reverts commit {shipped}." in message
    assert "too many alarms" in message
    text = manifest(site.model, first.bundle.digest, f'"{first.bundle_uri}"', first.version)
    assert site.bare.read(site.path) == text
    assert champion_version(site.model) == second.version

    count = site.bare.count()
    again = revert(site.target, site.model, reason="too many alarms", expected=second.version)
    assert (again.version, again.pushed.commit) == (first.version, done.pushed.commit)
    assert site.bare.count() == count

    confirmed = confirm(site.model, first.bundle.digest, site.sync(), seconds=30)
    assert (confirmed.version, confirmed.left) == (first.version, second.version)
    assert champion_version(site.model) == first.version
    note = rollback_note(site.model, second.version)
    assert note is not None
    assert note.endswith(f"to version {first.version}: too many alarms")
    with pytest.raises(StateError, match="no earlier champion"):
        revert(site.target, site.model, reason="r")


def test_a_rollback_that_was_cut_off_is_finished(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once before it knew its commit, once after the alias had moved."""
    first = site.champion(0)
    second = site.champion(1, first.version)
    module = "minorkey.deployment.gitops"
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.target.champion_version", killed)
        with pytest.raises(KeyboardInterrupt):
            revert(site.target, site.model, reason="alarms")
    again = revert(site.target, site.model, reason="alarms")
    assert (again.version, again.pushed.commit) == (first.version, site.bare.tip())
    with monkeypatch.context() as patch:
        patch.setattr(f"{module}.confirmation.note_rollback", killed)
        with pytest.raises(KeyboardInterrupt):
            confirm(site.model, first.bundle.digest, site.sync(), seconds=30)
    assert champion_version(site.model) == first.version
    assert confirm(site.model, first.bundle.digest, site.sync(), seconds=30).version == first.version
    assert (rollback_note(site.model, second.version) or "").endswith("alarms")


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_version_that_never_got_healthy_is_taken_back(site: Site) -> None:
    first = site.champion(0)
    second = site.ship(1, first.version)
    third = site.release(2, first.version)
    done = revert(site.target, site.model, reason="degraded")
    assert (done.left, done.version, done.withdrawn) == (second.version, first.version, True)
    assert pending_of(site.model, second.version) is None
    assert site.tags(second.version)["minorkey.withdrawn"].endswith("degraded")
    assert rollback_note(site.model, second.version) == ""
    assert confirm(site.model, first.bundle.digest, site.sync(), seconds=30).version == first.version
    site.target.deploy(third)
    assert pending_of(site.model, third.version) is not None


def test_a_revert_in_git_by_hand_moves_the_alias_too(site: Site) -> None:
    first = site.champion(0)
    before = site.bare.read(site.path)
    second = site.champion(1, first.version)
    after = site.bare.read(site.path)
    site.bare.write({site.path: before}, "Revert by hand")
    assert confirm(site.model, first.bundle.digest, site.sync(), seconds=30).left == second.version
    assert champion_version(site.model) == first.version
    site.bare.write({site.path: after}, "Revert the revert")
    confirm(site.model, second.bundle.digest, site.sync(), seconds=30)
    assert champion_version(site.model) == second.version


def test_what_cannot_be_gone_back_to_is_refused(site: Site) -> None:
    with pytest.raises(StateError, match="nothing to go back"):
        revert(site.target, site.model, reason="r")
    first = site.champion(0)
    for to in ("99", first.version):
        with pytest.raises(StateError):
            revert(site.target, site.model, to=to, reason="r")
    second = site.champion(1, first.version)
    with pytest.raises(StateError, match="another one by now"):
        revert(site.target, site.model, reason="r", expected=first.version)
    count = site.bare.count()
    model = Path(first.bundle_uri) / "model.onnx"
    kept = model.read_bytes()
    model.write_bytes(b"altered")
    try:
        with pytest.raises(BundleError):
            revert(site.target, site.model, reason="r")
    finally:
        model.write_bytes(kept)
    assert (site.bare.count(), champion_version(site.model)) == (count, second.version)
