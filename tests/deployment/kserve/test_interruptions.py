"""A deploy step that ends in the middle: what serves goes on, and the next try goes on or goes back."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from minorkey.deployment.kserve.api import ServingApi
from minorkey.deployment.kserve.fleet import Fleet
from minorkey.errors import StateError
from tests.deployment.kserve.place import Customers, Model

Place = Callable[..., Model]


class Killed(BaseException):
    """As a SIGKILL: nothing is undone."""


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Ends a rollout without undoing anything, as it waits for something."""
    from minorkey.deployment.kserve import rollout

    def at(moment: str) -> None:
        def killed(*given: object, **named: object) -> None:
            raise Killed

        monkeypatch.setattr(rollout.Rollout, moment, killed)
        monkeypatch.setattr(rollout.Rollout, "_undo", lambda self, undo: None)

    return at


@pytest.fixture
def cut_off(
    kill_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Model, str, str], None]:
    """Kills the deploy step of a version as it waits for something."""

    def deploy(model: Model, version: str, moment: str) -> None:
        kill_at(moment)
        with pytest.raises(Killed):
            model.deploy(version)
        monkeypatch.undo()

    return deploy


MOMENTS = ["_tried", "_await_route", "_compared", "promoted"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_step_goes_on_when_it_is_run_again(
    place: Place, kill_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    model = place()
    model.deploy("1")
    with Customers(model).asking() as customers:
        with monkeypatch.context() as context:
            if moment == "promoted":
                context.setattr("minorkey.deployment.kserve.service.Service.promote", killed_late)
            else:
                kill_at(moment)
            with pytest.raises(Killed):
                model.deploy("2", expected="1")
        monkeypatch.undo()
        assert model.champion == ("2" if moment == "promoted" else "1")
        told = model.deploy("2", expected="1")["rollout"]
    assert customers.failures == []
    assert told["mode"] == "canary" and (model.champion, model.served()) == ("2", "2")
    assert model.leaves("cards-v2-predictor")


def killed_late(*given: object) -> None:
    raise Killed


def test_another_version_takes_a_cut_off_canary_away_first(
    place: Place, cut_off: Callable[[Model, str, str], None]
) -> None:
    model = place()
    model.deploy("1")
    with Customers(model).asking() as customers:
        cut_off(model, "2", "_compared")
        assert model.fake.service("cards")["spec"]["canary"][0]["trafficPercent"] == 30
        model.deploy("3")
    assert customers.failures == []
    assert (model.champion, model.served()) == ("3", "3")
    assert model.leaves("cards-v3-predictor")


def test_the_version_that_serves_takes_a_cut_off_canary_away_too(
    place: Place, cut_off: Callable[[Model, str, str], None]
) -> None:
    model = place(start_seconds=4)
    model.deploy("1")
    with Customers(model).asking() as customers:
        cut_off(model, "2", "_compared")
        with (
            model.fake.routes_forgotten("cards"),
            pytest.raises(StateError, match="still sends requests"),
        ):
            model.deploy("1")
        assert model.deploy("1")["rollout"]["mode"] == "unchanged"
    assert customers.failures == []
    assert (model.champion, model.served()) == ("1", "1")
    assert model.leaves("cards-v1-predictor")


def test_a_canary_that_the_route_does_not_leave_goes_on_answering(
    place: Place, cut_off: Callable[[Model, str, str], None]
) -> None:
    model = place(start_seconds=4)
    model.deploy("1")
    with Customers(model).asking() as customers:
        cut_off(model, "2", "_compared")
        with model.fake.routes_forgotten("cards"):
            for _ in range(2):
                with pytest.raises(StateError, match="still sends requests") as caught:
                    model.deploy("3")
                assert caught.value.value == "backend cards-v2-predictor"
                assert model.leaves("cards-v1-predictor", "cards-v2-predictor")
        model.deploy("3")
    assert customers.failures == [] and set(customers.answers) == {"1", "2", "3"}
    assert (model.champion, model.served()) == ("3", "3")
    assert model.leaves("cards-v3-predictor")


def test_a_rolling_update_that_was_cut_off_goes_on_or_back(
    place: Place, cut_off: Callable[[Model, str, str], None]
) -> None:
    model = place(gateway=False)
    model.deploy("1")
    with Customers(model).asking() as customers:
        cut_off(model, "2", "_finish_rolling")
        assert model.deploy("2", expected="1")["rollout"]["mode"] == "rolling"
        assert model.champion == "2"

        cut_off(model, "3", "_finish_rolling")
        model.deploy("1", expected="2", proven=True)
    assert customers.failures == []
    assert (model.champion, model.served()) == ("1", "1")
    assert model.leaves("cards-predictor")


def test_a_rolling_update_whose_pods_never_answer_is_undone(place: Place) -> None:
    model = place(gateway=False, start_seconds=5)
    model.deploy("1")

    def first_only(fleet: Fleet, *given: object, **named: object) -> None:
        raise StateError("the predictors of version 2 do not answer")

    with Customers(model).asking() as customers, pytest.MonkeyPatch.context() as patch:
        patch.setattr("minorkey.deployment.kserve.rollout.Rollout._finish_rolling", first_only)
        with pytest.raises(StateError, match="do not answer"):
            model.deploy("2")
    assert customers.failures == [] and (model.champion, model.served()) == ("1", "1")


def test_a_step_that_is_asked_to_end_rolls_back(place: Place) -> None:
    model = place()
    model.limits = model.limits.model_copy(update={"requests": 100_000, "minutes": 5.0})
    model.deploy("1")
    before = signal.getsignal(signal.SIGTERM)
    with Customers(model).asking() as customers:
        threading.Thread(target=ask_to_end_when_it_is_compared, args=(model,), daemon=True).start()
        with pytest.raises(SystemExit):
            model.deploy("2")
    assert customers.failures == [] and "2" in customers.answers
    assert (model.champion, model.served()) == ("1", "1")
    assert signal.getsignal(signal.SIGTERM) is before


def ask_to_end_when_it_is_compared(model: Model) -> None:
    while True:
        canaries = model.fake.service("cards")["spec"].get("canary") or [{"trafficPercent": 0}]
        if canaries[0]["trafficPercent"] and model.fake.gateway.asked["cards-v2-predictor"] > 5:
            os.kill(os.getpid(), signal.SIGTERM)
            return


def test_who_rolls_back_meanwhile_is_not_undone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    model = place()
    model.deploy("1")

    def rolled_back(self: object, *given: object) -> None:
        monkeypatch.undo()
        model.deploy("3", expected="1", proven=True)
        self._require_canary(30)  # type: ignore[attr-defined]

    with Customers(model).asking() as customers:
        monkeypatch.setattr("minorkey.deployment.kserve.rollout.Rollout._compared", rolled_back)
        with pytest.raises(StateError, match="somebody else changed"):
            model.deploy("2")
    assert customers.failures == [] and (model.champion, model.served()) == ("3", "3")


@pytest.mark.parametrize("gateway", [True, False])
def test_a_step_that_is_asked_to_end_as_the_alias_moves_undoes_nothing(place: Place, gateway: bool) -> None:
    model = place(gateway=gateway)

    def move(name: str, version: str, *, expected: str) -> None:
        model.move(name, version, expected=expected)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        model.deploy("1", move=move)
    assert (model.champion, model.served()) == ("1", "1")
    with Customers(model).asking() as customers:
        with pytest.raises(SystemExit):
            model.deploy("2", move=move)
        spec = model.fake.service("cards")["spec"]
        shares = [entry["trafficPercent"] for entry in spec["canary"]]
        serving = spec["canary"][0]["predictor"] if gateway else spec["predictor"]
        assert (model.champion, serving["labels"]["minorkey.io/version"]) == ("2", "2")
        assert shares == ([100] if gateway else [0])
        model.deploy("2", expected="1")
    assert customers.failures == [] and (model.champion, model.served()) == ("2", "2")


def test_who_served_first_meanwhile_goes_on_serving(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two first versions meet: the later one neither replaces nor takes away what serves."""
    model = place(start_seconds=8)
    create = ServingApi.create

    def late(self: ServingApi, kind: str, manifest: dict) -> bool:
        if kind == "inferenceservices":
            monkeypatch.undo()
            model.deploy("1")
        return create(self, kind, manifest)

    monkeypatch.setattr(ServingApi, "create", late)
    with pytest.raises(StateError, match="began to serve meanwhile"):
        model.deploy("2", expected="")
    assert (model.champion, model.served()) == ("1", "1")
