"""What a study leaves in words and numbers: the content of ``study.json``."""

import importlib.metadata
import platform
from typing import Any

from minorkey.search.tuning import Tuned
from minorkey.trials.trial import Outcome

__all__ = ["configuration_of", "counts_of", "part_account", "versions"]

_VERSIONS = (
    "minorkey",
    "numpy",
    "scikit-learn",
    "lightgbm",
    "xgboost-cpu",
    "torch",
    "optuna",
    "onnx",
    "onnxruntime",
)


def configuration_of(tuned: Tuned) -> list[dict[str, Any]]:
    """The members of what ships, each with its weight in the mixture."""
    return [{"weight": share, **configuration.to_json()} for configuration, share in tuned.selected.members]


def part_account(tuned: Tuned) -> dict[str, Any]:
    """What was chosen on a part, and what is known of it from rows it was not fitted on."""
    selected = tuned.selected
    return {
        "configuration": {"members": configuration_of(tuned), "ships": "fold bag" if tuned.bag else "refit"},
        "validation": selected.validation,
        "validation_interval": selected.choice.cross_fitted_value.to_json(),
        "threshold": selected.threshold,
        "calibration": selected.calibration.to_json(),
        "choice": {"ensemble": selected.choice.ensemble, "reason": selected.choice.reason},
        "seconds": tuned.seconds,
    }


def counts_of(trials: list[dict[str, Any]]) -> dict[str, int]:
    """How many trials were completed, pruned, and failed."""
    outcomes = [Outcome(trial["outcome"]) for trial in trials]
    complete, pruned = outcomes.count(Outcome.COMPLETE), outcomes.count(Outcome.PRUNED)
    return {"complete": complete, "pruned": pruned, "failed": len(outcomes) - complete - pruned}


def versions() -> dict[str, str]:
    """Python's version and those of the packages that a fit depends on."""
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in _VERSIONS
    }
