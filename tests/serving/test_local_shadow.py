"""A challenger in the shadow of this machine's predictor: process, registry, steps and commands real."""

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.cli import main
from minorkey.errors import BundleError, SpecError, StateError
from minorkey.promote import promote
from minorkey.rollback import roll_back
from minorkey.serving import local, local_shadow
from minorkey.serving.follower import load_target
from minorkey.serving.local_shadow import begin_shadow, counted_in_shadow, prove_in_shadow
from minorkey.serving.pointer import Target
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.shadow_pointer import read_shadow, shadow_path
from minorkey.serving.shadow_reference import shadow_of
from minorkey.serving.slot import Slot
from minorkey.steps import deploy
from minorkey.steps.register import RegisterResult
from minorkey.tracking import champion_version, client
from tests.retune.surroundings import wait_until
from tests.serving.bundles import ROW, small_bundle
from tests.steps.registered import registered


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One registry for all; each test has a model of its own in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MINORKEY_HOME", str(home))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("MINORKEY_BUNDLE_ROOT", "MINORKEY_ERROR", "MINORKEY_FEEDBACK_URL"):
        monkeypatch.delenv(name, raising=False)
    yield
    for model in local.models():
        local.stop(model)


def version(folder: Path, number: int, model: str = "cards") -> RegisterResult:
    bundle = small_bundle(folder / f"bundle-{number}", seed=number, model=model)
    champion = champion_version(model)
    return registered(bundle, f"{model}-{number}", folder / "reports", model=model, champion=champion)


def deployed(folder: Path, result: RegisterResult, model: str = "cards", **shadow: Any) -> dict[str, Any]:
    path = folder / "deployment.json"
    deploy.run(
        model=model,
        deploy=json.dumps({"shadow": shadow}),
        model_version=result.model_version,
        bundle_uri=result.bundle_uri,
        champion_version=champion_version(model),
        deployment_path=path,
    )
    return json.loads(path.read_text())


@contextmanager
def traffic(url: str) -> Iterator[list[tuple[int, str]]]:
    """Requests without a pause; status and version of each answer."""
    answers: list[tuple[int, str]] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=url, trust_env=False) as http:
            while not done.is_set():
                answer = http.post("/predict", json=ROW)
                answers.append((answer.status_code, answer.json().get("version", "")))

    client_ = threading.Thread(target=ask)
    client_.start()
    try:
        yield answers
    finally:
        done.set()
        client_.join()


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_a_kept_challenger_is_followed_compared_promoted_and_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = version(tmp_path, 0)
    url = deployed(tmp_path, first, follow=True)["url"]
    assert run("shadow", "show", "cards") == 0
    assert "nothing has been in shadow" in capsys.readouterr().out
    second = version(tmp_path, 1)  # kept: the deploy step does not run
    server = local.status("cards")
    assert server is not None
    wait_until(lambda: any(counts.loaded for counts in counted_in_shadow(server, second.model_version)))
    with traffic(url) as answers:
        wait_until(lambda: counted_in_shadow(server)[0].rows >= 30)
        assert run("shadow", "show", "cards") == 0
        shown = capsys.readouterr().out
        assert "version 2 in the shadow of version 1\n" in shown
        assert re.search(r"rows that both scored +(\d+) +\1\n", shown) and "outcomes: unknown" in shown
        assert run("promote", "cards", "--reason", "better in shadow") == 0
    assert {status for status, _ in answers} == {200} and answers[0][1] == "1"
    assert champion_version("cards") == "2" == local.current_target("cards").version
    tags = client().get_model_version("cards", "2").tags
    assert tags["minorkey.promoted"].endswith("over version 1: better in shadow")
    wait_until(lambda: not counted_in_shadow(server)[0].loaded)
    with pytest.raises(StateError, match="champion already"):
        promote("cards", version="2", reason="again")
    done = roll_back("cards", reason="worse after all")
    assert (done.version, done.left) == ("1", "2")
    assert run("shadow", "stop", "cards") == 0 and read_shadow(shadow_path("cards")) is None


def test_a_promoted_version_scores_in_shadow_before_it_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, third = (version(tmp_path, number, "claims") for number in range(3))
    done = deployed(tmp_path, first, "claims", rows=20)  # nothing serves yet, so nothing can be shadowed
    assert "shadow" not in done and champion_version("claims") == first.model_version
    with pytest.raises(SystemExit):
        deployed(tmp_path, second, "claims", rows=20, minutes=0.01)
    assert "minorkey promote claims --version 2" in capsys.readouterr().err
    assert champion_version("claims") == first.model_version == local.current_target("claims").version
    with traffic(done["url"]) as answers:
        proven = deployed(tmp_path, second, "claims", rows=20)
    assert {status for status, _ in answers} == {200}
    assert proven["shadow"]["rows"] >= 20 and proven["shadow"]["differing"] <= proven["shadow"]["rows"]
    assert champion_version("claims") == second.model_version
    server = begin_shadow("claims", third.model_version, third.bundle_uri)
    assert [one.version for one in counted_in_shadow(server) if one.loaded] == ["3"]
    with pytest.raises(StateError, match="its own shadow"):
        begin_shadow("claims", second.model_version, second.bundle_uri)


def test_rows_of_a_predictor_that_was_restarted_count_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    sums = local_shadow._sums

    def noted(*asked: Any) -> tuple[int, int, int]:
        counted = sums(*asked)
        looked.append(counted[0])
        return counted

    monkeypatch.setattr(local_shadow, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(local_shadow, "_sums", noted)
    first, second = (version(tmp_path, number, "rents") for number in range(2))
    url = deployed(tmp_path, first, "rents")["url"]

    def ask(url: str) -> None:
        for _ in range(20):
            httpx.post(f"{url}/predict", json=ROW, trust_env=False).raise_for_status()
        looked.clear()
        wait_until(lambda: 20 in looked)

    with ThreadPoolExecutor(1) as pool:
        proof = pool.submit(
            prove_in_shadow, "rents", second.model_version, second.bundle_uri, rows=40, seconds=60.0
        )
        server = local.status("rents")
        # What it scored before it was first looked at does not count.
        wait_until(lambda: any(counts.loaded for counts in counted_in_shadow(server)) and bool(looked))
        ask(url)
        local.stop("rents")
        assert not proof.done()
        again = local.start("rents", Path(first.bundle_uri), first.model_version)
        wait_until(lambda: any(counts.loaded for counts in counted_in_shadow(again)))
        ask(again.url)
        assert proof.result()["rows"] == 40


def test_what_serve_is_told_to_shadow(tmp_path: Path) -> None:
    first, second, third = (version(tmp_path, number, "loans") for number in range(3))
    slot = Slot(load_target("loans", Target(first.model_version, first.bundle_uri)))

    def shadowed(follower: ShadowFollower) -> str:
        follower.look()
        return slot.shadow.challenger.version if slot.shadow.challenger else ""

    follower = shadow_of(slot, "loans@challenger")
    assert slot.shadow.challenger is not None and shadowed(follower) == third.model_version
    for alias, found in ((second, second.model_version), (first, ""), (third, third.model_version)):
        client().set_registered_model_alias("loans", "challenger", alias.model_version)
        assert shadowed(follower) == found
    client().delete_registered_model_alias("loans", "challenger")
    assert shadowed(follower) == ""
    assert shadowed(shadow_of(slot, "loans@2")) == "2"
    folder = Path(third.bundle_uri)
    assert shadowed(shadow_of(slot, str(folder))) == Bundle.load(folder).digest[:12]
    for reference, error in (
        ("loans@challenger", StateError),
        ("cards@1", SpecError),
        ("loans@99", StateError),
        (str(tmp_path), BundleError),
    ):
        with pytest.raises(error):
            shadow_of(slot, reference)


def test_without_a_predictor_nothing_can_be_in_shadow(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no predictor"):
        prove_in_shadow("nothing", "2", str(tmp_path), rows=1, seconds=1)
    assert run("shadow", "start", "nothing") == 2
    assert run("shadow", "show", "nothing") == 2
    assert run("serve", "--stop", "nothing", "--shadow", "nothing@challenger") == 2
