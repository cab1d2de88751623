"""How the next configuration within a family is proposed."""

from collections.abc import Callable

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from minorkey.errors import SpecError

__all__ = ["SAMPLERS", "sampler"]

#: Random proposals of a family before the estimator has enough to model.
_STARTUP = 5

#: Name to a function of the seed. A sampler is made anew for each ask, so that what it proposes
#: depends on seed and finished trials alone, also after a restart.
SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, n_startup_trials=_STARTUP),
    "random": lambda seed: RandomSampler(seed=seed),
}


def sampler(name: str, seed: int) -> BaseSampler:
    """The sampler of that name.

    Raises:
        SpecError: the name is unknown.
    """
    if name not in SAMPLERS:
        raise SpecError(
            "the sampler is unknown",
            key="search.sampler",
            value=name,
            allowed=", ".join(SAMPLERS),
            remedy="choose one of these, or leave search.sampler out",
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return SAMPLERS[name](seed)
