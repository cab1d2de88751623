"""A new version comes to serve on KServe without a failed request; what does worse leaves no trace."""

from collections.abc import Callable

import pytest

from minorkey.errors import StateError
from tests.deployment.kserve.fake import Sabotage
from tests.deployment.kserve.place import Customers, Model

Place = Callable[..., Model]


def test_the_first_version_serves_and_becomes_champion(place: Place) -> None:
    model = place()
    told = model.deploy("1")
    assert (model.champion, model.served()) == ("1", "1")
    assert told["rollout"] == {"mode": "first"} and told["url"] == "http://cards-serving.example.test"
    assert told["verified"]["pods"] == 2 and told["verified"]["largest_difference"] <= 1e-6
    assert model.deploy("1")["rollout"] == {"mode": "unchanged"}
    assert model.leaves("cards-v1-predictor")


def test_a_version_takes_over_by_shares_without_a_failed_request(place: Place) -> None:
    model = place()
    model.deploy("1")
    with Customers(model).asking() as customers:
        told = model.deploy("2")["rollout"]
        before = customers.answers.get("2", 0)
        while customers.answers.get("2", 0) < before + 50:
            assert not customers.failures
    assert customers.failures == []
    assert set(customers.answers) == {"1", "2"}
    assert (model.champion, model.served()) == ("2", "2")
    assert told["mode"] == "canary" and told["compared"]["requests"]["new"] >= 20
    assert told["tried"]["requests"] == {"old": 30, "new": 30}
    assert model.leaves("cards-v2-predictor")
    serving = model.fake.service("cards")["spec"]["predictor"]
    assert (serving["minReplicas"], serving["maxReplicas"]) == (2, 10)


def test_promotion_restarts_no_pod(place: Place) -> None:
    model = place()
    model.deploy("1")
    seen: list[set[str]] = []

    def move(name: str, version: str, *, expected: str) -> None:
        seen.append({pod["metadata"]["name"] for pod in own(model, "2")})
        model.move(name, version, expected=expected)

    model.deploy("2", move=move)
    assert {pod["metadata"]["name"] for pod in own(model, "2")} == seen[0] and len(seen[0]) == 2


def own(model: Model, version: str) -> list[dict]:
    labelled = [
        pod for pod in model.fake.cluster.pods("serving") if "deletionTimestamp" not in pod["metadata"]
    ]
    return [pod for pod in labelled if pod["metadata"]["labels"]["minorkey.io/version"] == version]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (Sabotage.ERRORS, "answers 500"),
        (Sabotage.CRASH, "Illegal instruction"),
        (Sabotage.SLOW, "max_p99_ratio"),
        (None, "PSI"),
    ],
)
def test_what_does_worse_gets_no_request_and_leaves_the_old_version(
    place: Place, wrong: Sabotage | None, told: str
) -> None:
    model = place(start_seconds=8)
    model.limits = model.limits.model_copy(update={"max_p99_seconds": 0.1})
    model.deploy("1")
    version = "2" if wrong else "4"
    if wrong:
        model.fake.sabotage[model.bundles["2"].digest] = wrong
    with Customers(model).asking() as customers, pytest.raises(Exception) as caught:
        model.deploy(version, tried=60)
    assert told in f"{caught.value} {getattr(caught.value, 'value', '')}"
    assert customers.failures == [] and set(customers.answers) == {"1"}
    assert (model.champion, model.served()) == ("1", "1")
    assert model.leaves("cards-v1-predictor")


def test_errors_that_only_customers_meet_end_the_canary_early(place: Place) -> None:
    model = place()
    model.limits = model.limits.model_copy(update={"requests": 100_000, "minutes": 5.0})
    model.fake.sabotage[model.bundles["2"].digest] = Sabotage.ERRORS_IN_SERVICE
    model.deploy("1")
    with Customers(model).asking() as customers, pytest.raises(StateError, match="does worse") as caught:
        model.deploy("2")
    assert "max_errors" in caught.value.value
    assert all("500" in failure for failure in customers.failures)
    assert len(customers.failures) < 100 and customers.answers["1"] > len(customers.failures)
    assert (model.champion, model.served()) == ("1", "1")


def test_without_requests_rows_like_those_of_training_are_replayed(place: Place) -> None:
    model = place()
    model.limits = model.limits.model_copy(update={"minutes": 0.01})
    model.deploy("1")
    told = model.deploy("2")["rollout"]
    assert told["compared"]["requests"]["new"] == 0
    assert told["replayed"]["requests"] == {"old": 60, "new": 60} and told["replayed"]["psi"] == 0
    assert (model.champion, model.served()) == ("2", "2")


def test_without_a_gateway_pods_are_replaced_one_by_one_and_that_is_told(place: Place) -> None:
    model = place(gateway=False)
    model.deploy("1")
    with Customers(model).asking() as customers:
        told = model.deploy("2")["rollout"]
    assert customers.failures == []
    assert told["mode"] == "rolling" and "serving.kserve.gateway is false" in told["note"]
    assert told["tried"]["errors"] == {"old": 0, "new": 0}
    assert (model.champion, model.served()) == ("2", "2")
    service = model.fake.service("cards")
    assert "minorkey.io/former-predictor" not in service["metadata"]["annotations"]
    assert model.leaves("cards-predictor")


def test_without_a_gateway_what_does_worse_replaces_nothing(place: Place) -> None:
    model = place(gateway=False)
    model.deploy("1")
    with Customers(model).asking() as customers, pytest.raises(StateError, match="does worse"):
        model.deploy("4")
    assert customers.failures == [] and set(customers.answers) == {"1"}
    assert (model.champion, model.served()) == ("1", "1")


def test_a_newer_champion_stays_and_what_served_serves(place: Place) -> None:
    model = place()
    model.deploy("1")

    def overtaken(name: str, version: str, *, expected: str) -> None:
        raise StateError("the champion changed", key=name)

    with Customers(model).asking() as customers, pytest.raises(StateError, match="champion changed"):
        model.deploy("2", move=overtaken)
    assert customers.failures == [] and (model.champion, model.served()) == ("1", "1")
    with pytest.raises(StateError, match="champion changed"):
        model.deploy("3", expected="7")
    assert model.served() == "1"


def test_a_proven_version_shows_nothing_but_its_answers(place: Place) -> None:
    model = place()
    model.deploy("1")
    with Customers(model).asking() as customers:
        told = model.deploy("4", proven=True)["rollout"]
    assert told == {"mode": "canary"} and customers.failures == []
    assert (model.champion, model.served()) == ("4", "4")


@pytest.mark.parametrize("gateway", [True, False])
def test_a_version_that_does_not_answer_any_more_is_replaced_at_once(place: Place, gateway: bool) -> None:
    model = place(gateway=gateway, start_seconds=6)
    model.deploy("1")
    model.fake.sabotage[model.bundles["1"].digest] = Sabotage.CRASH
    for pod in own(model, "1"):
        model.fake.cluster.evict(pod)
    told = model.deploy("2")["rollout"]
    assert told["mode"] == "instead" and (model.champion, model.served()) == ("2", "2")
    names = {True: "cards-v2-predictor", False: "cards-predictor"}
    assert model.leaves(names[gateway])
