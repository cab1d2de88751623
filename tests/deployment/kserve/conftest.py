"""Bundles of several versions, and a model on a fake KServe."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from minorkey.bundle.bundle import Bundle
from tests.deployment.kserve.fake import FakeKServe
from tests.deployment.kserve.place import Model, again, cluster_spec, shifted
from tests.serving.bundles import small_bundle


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    """Versions 1 to 3 score alike and are told apart by their lineage; 4 scores far higher."""
    folder = tmp_path_factory.mktemp("versions")
    first = small_bundle(folder / "1")
    later = {number: again(first, folder / number, number) for number in ("2", "3")}
    return {"1": first, **later, "4": shifted(first, folder / "4")}


@pytest.fixture
def place(tmp_path: Path, versions: dict[str, Bundle]) -> Iterator[Callable[..., Model]]:
    """Makes a model with its versions on a fake KServe of its own."""
    with ExitStack() as stack:

        def make(*, gateway: bool = True, installed: bool = True, **serving: object) -> Model:
            folder = tmp_path / "volume"
            folder.mkdir()
            fake = stack.enter_context(FakeKServe(folder, gateway=gateway, installed=installed))
            model = Model(fake, cluster_spec(folder, **{"gateway": gateway, **serving}))
            for number, bundle in versions.items():
                model.register(number, bundle)
            return model

        yield make
