import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from minorkey.bundle.bundle import Bundle
from minorkey.errors import BundleError, SpecError, StateError
from minorkey.serving import local
from minorkey.serving.follower import Follower, load_target
from minorkey.serving.pointer import Target, read_pointer, write_pointer
from minorkey.serving.server import bind, predictor_server, serve, url_of
from minorkey.serving.shadow_counts import read_metrics, shadow_counts
from minorkey.serving.shadow_follower import ShadowFollower
from minorkey.serving.slot import Slot
from minorkey.serving.verification import verify_in_process, verify_server
from tests.retune.surroundings import wait_until
from tests.serving.bundles import ROW

_NOT_NEEDED = {"sklearn", "imblearn", "lightgbm", "xgboost", "torch", "optuna", "mlflow", "skl2onnx", "kfp"}


@pytest.fixture
def deployed(home: Path) -> Iterator[str]:
    """The name of a model whose predictor is stopped in the end."""
    yield "cards"
    local.stop("cards")


def test_deploy_swap_and_stop(deployed: str, bundle: Bundle, other_bundle: Bundle) -> None:
    first = local.start(deployed, bundle.folder, "1")
    assert local.status(deployed) == first
    assert verify_server(first.url, deployed, "1", bundle)["largest_difference"] <= 1e-6
    failures: list[int] = []
    answered = threading.Event()
    done = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=first.url, trust_env=False) as http:
            while not done.is_set():
                status = http.post("/predict", json=ROW).status_code
                failures.extend([status] if status != 200 else [])
                answered.set()

    clients = [threading.Thread(target=load) for _ in range(2)]
    for client in clients:
        client.start()
    assert answered.wait(30)
    second = local.start(deployed, other_bundle.folder, "2")
    done.set()
    for client in clients:
        client.join()
    assert second == first
    assert failures == []
    verify_server(second.url, deployed, "2", other_bundle)
    assert local.stop(deployed)
    assert local.status(deployed) is None
    assert not local.stop(deployed)


def test_another_port_or_an_older_format_restarts(
    deployed: str, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = local.start(deployed, bundle.folder, "1")
    monkeypatch.setattr(local, "FORMAT", first.format + 1)
    # The new process still writes this code's own format, so only the restart is looked at.
    second = local.start(deployed, bundle.folder, "1")
    assert second.pid != first.pid
    assert second.port == first.port


def test_a_predictor_that_cannot_start_says_why(deployed: str, bundle: Bundle) -> None:
    with bind("127.0.0.1", 0) as taken, pytest.raises(StateError) as caught:
        local.start(deployed, bundle.folder, "1", port=taken.getsockname()[1])
    assert "predictor.log" in caught.value.key
    assert local.status(deployed) is None


def test_a_record_of_another_process_is_not_believed(deployed: str, home: Path) -> None:
    folder = home / "serving" / deployed
    folder.mkdir(parents=True)
    record = {"format": 1, "package": "0", "model": deployed, "pid": os.getpid(), "created": 1.0}
    record |= {"host": "127.0.0.1", "url": "http://127.0.0.1:1", "started": 1.0}
    (folder / "server.json").write_text(str(record).replace("'", '"'))
    assert local.status(deployed) is None
    (folder / "server.json").write_text("{")
    assert local.status(deployed) is None


def test_restore_starts_the_former_predictor_again(
    deployed: str, home: Path, bundle: Bundle, other_bundle: Bundle
) -> None:
    local.start(deployed, bundle.folder, "1")
    before = local.served(deployed)
    assert before.server is not None
    with bind("127.0.0.1", 0) as taken, pytest.raises(StateError):
        local.start(deployed, other_bundle.folder, "2", port=taken.getsockname()[1])
    assert local.status(deployed) is None
    local.restore(deployed, before)
    verify_server(before.server.url, deployed, "1", bundle)
    assert local.models() == [deployed]


def test_restore_starts_nothing_where_nothing_ran(deployed: str, home: Path, bundle: Bundle) -> None:
    idle = local.Served(Target("1", str(bundle.folder)), None)
    local.restore(deployed, idle)
    assert local.served(deployed) == idle
    local.restore(deployed, local.Served(None, None))
    assert local.served(deployed) == local.Served(None, None)
    assert local.models() == []


def test_the_predictor_imports_no_training_library(bundle: Bundle) -> None:
    code = (
        "import sys; from pathlib import Path; from minorkey.serving import process;"
        "from minorkey.serving.follower import load_target; from minorkey.serving.pointer import Target;"
        f"load_target('cards', Target('1', {str(bundle.folder)!r})).warm();"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(shown.split()) & _NOT_NEEDED == set()


def test_serve_with_a_shadow_answers_and_ends_on_sigterm(
    bundle: Bundle, other_bundle: Bundle, home: Path
) -> None:
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    code = (
        "from pathlib import Path; from minorkey.serving.server import serve;"
        f"serve(Path({str(bundle.folder)!r}), None, port={port}, shadow={str(other_bundle.folder)!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            told = [process.stdout.readline() for _ in range(2)]
            assert b"shadow_begun" in told[0] and b"serving" in told[1]
            answer = httpx.post(f"http://127.0.0.1:{port}/predict", json=ROW, trust_env=False)
            assert answer.json()["version"] == bundle.digest[:12]
            wait_until(lambda: shadow_rows(port) == 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) in (0, -signal.SIGTERM)
        finally:
            process.kill()


def shadow_rows(port: int) -> int:
    (counts,) = shadow_counts(read_metrics(f"http://127.0.0.1:{port}"), "cards")
    return counts.rows


def test_too_many_connections_are_refused_and_counted_while_health_and_metrics_are_told(
    slot: Slot,
) -> None:
    server = predictor_server(slot, at_once=4)
    with bind("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = url_of(listener)
        idle = [socket.create_connection(listener.getsockname()) for _ in range(5)]
        try:
            wait_until(lambda: len(server.server_state.connections) == 5)
            with httpx.Client(base_url=url, trust_env=False) as http:
                for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/cards/ready", "/metrics"):
                    assert http.get(path).status_code == 200
                for path in ("/predict", "/v2/models/cards/infer"):
                    refused = http.post(path, json=ROW)
                    assert refused.status_code == 503 and "connections" in refused.json()["error"]
                    assert refused.headers["retry-after"] == "1" and refused.headers["connection"] == "close"
                assert requests(slot, "503") == 2
                for held in idle:
                    held.close()
                wait_until(lambda: len(server.server_state.connections) < 3)
                assert http.post("/predict", json=ROW).status_code == 200
                assert (requests(slot, "200"), requests(slot, "503")) == (1, 2)
        finally:
            server.should_exit = True
            thread.join(10)


def requests(slot: Slot, code: str) -> float | None:
    labels = {"model": slot.current.model, "version": slot.current.version, "code": code}
    return slot.metrics.registry.get_sample_value("minorkey_request_total", labels)


def test_serve_refuses_what_it_cannot_serve(home: Path, bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        serve(tmp_path, None)
    with pytest.raises(StateError, match="two things"):
        serve(bundle.folder, "cards@champion")
    with pytest.raises(StateError, match="no such model"):
        serve(None, "cards@champion")
    with bind("127.0.0.1", 0) as taken, pytest.raises(StateError, match="cannot be bound"):
        serve(bundle.folder, None, port=taken.getsockname()[1])


def test_url_of_a_socket_on_every_address() -> None:
    with bind("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_the_follower_swaps_and_survives_a_bad_bundle(
    slot: Slot, bundle: Bundle, other_bundle: Bundle, tmp_path: Path
) -> None:
    pointer = tmp_path / "current.json"
    write_pointer(pointer, Target("1", str(bundle.folder)))
    served = read_pointer(pointer)
    assert served is not None
    follower = Follower(slot, served, lambda: read_pointer(pointer), seconds=60)
    follower.look()
    assert slot.current.version == "1"
    write_pointer(pointer, Target("2", str(tmp_path)))
    follower.look()
    assert slot.current.version == "1"
    write_pointer(pointer, Target("3", str(other_bundle.folder)))
    follower.look()
    assert (slot.current.version, slot.current.bundle.digest) == ("3", other_bundle.digest)
    pointer.unlink()
    follower.look()
    assert slot.current.version == "3"


def test_a_bundle_that_could_not_be_downloaded_is_asked_for_again(
    slot: Slot, bundle: Bundle, other_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = iter([True, True, False, False])

    def fetch(uri: str) -> Path:
        if next(away):
            raise StateError("the store does not answer", key=uri)
        return Path(uri)

    monkeypatch.setattr("minorkey.serving.follower.fetch_bundle", fetch)
    served, wanted = Target("1", str(bundle.folder)), Target("2", str(other_bundle.folder))
    follower = Follower(slot, served, lambda: wanted, seconds=60)
    beside = ShadowFollower(slot, lambda: wanted, seconds=60)
    follower.look()
    beside.look()
    assert slot.current.version == "1" and slot.shadow.challenger is None
    beside.look()
    assert slot.shadow.challenger is not None and slot.shadow.challenger.version == "2"
    follower.look()
    assert slot.current.version == "2"


def test_an_altered_bundle_is_not_served(bundle: Bundle, tmp_path: Path) -> None:
    altered = tmp_path / "altered"
    altered.mkdir()
    for file in bundle.folder.iterdir():
        (altered / file.name).write_bytes(file.read_bytes())
    (altered / "model.onnx").write_bytes(b"0" + (altered / "model.onnx").read_bytes()[1:])
    with pytest.raises(BundleError):
        load_target("cards", Target("1", str(altered)))


def test_verification_in_process(bundle: Bundle) -> None:
    assert verify_in_process(bundle)["largest_difference"] <= 1e-6


def test_an_answer_is_not_held_back_by_nagle() -> None:
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_bundle_serves_under_a_name_only_if_it_is_the_right_one(bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="another bundle") as caught:
        serve(bundle.folder, None, port=0, digest="0" * 64)
    assert caught.value.value == bundle.digest and caught.value.allowed == "0" * 64
    with pytest.raises(SpecError) as nameless:
        serve(bundle.folder, None, port=0, served_as="cards")
    assert nameless.value.key == "--as"
    port = bind("127.0.0.1", 0).getsockname()[1]
    command = [sys.executable, "-m", "minorkey", "serve", "--bundle", str(bundle.folder), "--port", str(port)]
    command += ["--as", "fraud@7", "--digest", bundle.digest]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            answer = await_answer(f"http://127.0.0.1:{port}/v2/models/fraud/versions/7")
        finally:
            process.terminate()
    assert answer["parameters"]["digest"] == bundle.digest


def await_answer(url: str) -> dict:
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, trust_env=False).raise_for_status().json()
        except httpx.HTTPError:
            assert time.monotonic() < until
            time.sleep(0.05)
