"""What a retune tries first: the configuration that serves, and the best that was found beside it."""

from collections.abc import Sequence
from typing import Any

from minorkey.bundle.bundle import BundleInfo
from minorkey.trials.trial import Configuration

__all__ = ["configurations_to_start_from", "runners_up"]

#: Key of the lineage that holds the runners-up.
_KEY = "runners_up"
_MOST = 5


def runners_up(best: Sequence[Configuration]) -> dict[str, Any]:
    """What a bundle's lineage tells later runs: the finalists of its study, best first.

    Args:
        best: the finalists, best first.
    """
    return {_KEY: [configuration.to_json() for configuration in best[:_MOST]]}


def configurations_to_start_from(base: BundleInfo) -> list[Configuration]:
    """The members of a bundle, heaviest first, then the finalists of its study, each once.

    Training windows are left out: those of the new run decide.
    """
    members = sorted(base.configuration, key=lambda member: -member["weight"])
    told = [*members, *base.lineage.get(_KEY, [])]
    found = [
        Configuration.from_json(
            {name: value for name, value in one.items() if name != "weight"} | {"train_window": None}
        )
        for one in told
    ]
    return list({configuration.digest(): configuration for configuration in found}.values())
