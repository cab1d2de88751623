"""What to try next: one Optuna study for each family, all in the driver's storage."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import TrialState, create_trial

from minorkey.search.allocation import Tried, choose_family, choose_interactions, choose_resampler
from minorkey.search.records import Plan
from minorkey.search.samplers import sampler
from minorkey.search.space import NONE, Space
from minorkey.trials.trial import Configuration, Outcome, TrialResult

__all__ = ["Proposer", "seed_of"]

_NUMBER = "number"
#: Proposals that may repeat an earlier configuration before the repetition is accepted.
_REPEATS = 4


def seed_of(seed: int, *names: str | int) -> int:
    """A seed of 31 bits that belongs to these names, whatever else was drawn before."""
    text = "/".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1


class Proposer:
    """Asks and tells. What it proposes depends on its seed, the number and what it was told.

    Args:
        storage: the open storage, owned by this process.
        part: the part that the study is on.
        space: what may be tried.
        sampler: name of the sampler within a family.
        resampling_share: most trials that resample, until one wins.
        seed: the study's seed.
        prefix: begins the names of the studies in the storage, where others share it.
    """

    def __init__(
        self,
        storage: BaseStorage,
        part: str,
        space: Space,
        *,
        sampler: str,
        resampling_share: float,
        seed: int,
        prefix: str = "",
    ) -> None:
        self._prefix = f"{prefix}{part}/"
        self._storage = storage
        self._part = part
        self._space = space
        self._sampler = sampler
        self._share = resampling_share
        self._seed = seed
        self._studies: dict[str, optuna.Study] = {}
        self._trials: dict[int, tuple[str, int]] = {}
        self._told: set[int] = set()
        self._digests: set[str] = set()

    def restore(self, plans: Mapping[int, Plan], results: Mapping[int, TrialResult]) -> None:
        """Bring the journal in line with the plans: orphans are failed, missing trials are added."""
        for family in self._known():
            for trial in self._study(family).get_trials(deepcopy=False):
                number = trial.user_attrs.get(_NUMBER, -1)
                planned = number in plans and plans[number].configuration.family == family
                finished = trial.state.is_finished()
                if not planned:
                    if not finished:
                        self._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
                elif not finished or (number in results and number not in self._trials):
                    self._trials[number] = (family, trial.number)
                    self._told.add(number) if finished else self._told.discard(number)
        for number, plan in plans.items():
            self._digests.add(plan.configuration.digest())
            if number not in self._trials:
                self._add(number, plan.configuration)

    def propose(self, number: int, tried: Sequence[Tried]) -> Configuration:
        """The configuration of the trial of that number.

        Args:
            number: the trial's number in the whole study.
            tried: every planned trial before it.
        """
        configuration = self._start(number) or self._sample(number, tried)
        self._digests.add(configuration.digest())
        return configuration

    def withdraw(self, number: int) -> None:
        """Forget a proposal that will not be run."""
        self._fail(number)

    def tell(self, result: TrialResult) -> None:
        """Take a result; a second time has no effect."""
        if result.number in self._told:
            return
        self._told.add(result.number)
        family, trial = self._trials[result.number]
        study = self._study(family)
        if result.outcome is Outcome.COMPLETE:
            study.tell(trial, result.value)
        elif result.outcome is Outcome.PRUNED:
            trial_id = self._storage.get_trial_id_from_study_id_trial_number(study._study_id, trial)
            for step, value in result.reported[-1:]:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            self._fail(result.number)

    def _start(self, number: int) -> Configuration | None:
        if number >= len(self._space.start):
            return None
        configuration = self._space.start[number]
        self._add(number, configuration)
        return configuration

    def _sample(self, number: int, tried: Sequence[Tried]) -> Configuration:
        rng = np.random.default_rng(seed_of(self._seed, self._part, number))
        family = choose_family(list(self._space.families), tried)
        resampler = choose_resampler(list(self._space.resamplers), tried, self._share, rng)
        # Both together are the slowest trials there are, and say little about either.
        alone = self._space.interactions and resampler == NONE
        interactions = alone and choose_interactions(tried, rng)
        dimensions = self._space.dimensions(family, resampler)
        for repeat in range(_REPEATS):
            # A sampler that repeats itself on a small discrete space is helped out by a random one.
            name = self._sampler if repeat == 0 else "random"
            parameters = self._ask(number, family, dimensions, name, repeat)
            configuration = self._space.configuration(family, resampler, interactions, parameters)
            if configuration.digest() not in self._digests:
                break
            if repeat < _REPEATS - 1:
                self._fail(number)
        return configuration

    def _ask(
        self, number: int, family: str, dimensions: dict[str, BaseDistribution], name: str, repeat: int
    ) -> dict[str, object]:
        study = self._study(family)
        study.sampler = sampler(name, seed_of(self._seed, self._part, family, number, repeat))
        trial = study.ask(dimensions)
        trial.set_user_attr(_NUMBER, number)
        self._trials[number] = (family, trial.number)
        return trial.params

    def _add(self, number: int, configuration: Configuration) -> None:
        """A running trial with these parameters, in one record."""
        parameters = self._space.parameters(configuration)
        dimensions = self._space.dimensions(configuration.family, configuration.resampler)
        study = self._study(configuration.family)
        study.add_trial(
            create_trial(
                state=TrialState.RUNNING,
                params=parameters,
                distributions={name: dimensions[name] for name in parameters},
                user_attrs={_NUMBER: number},
            )
        )
        self._trials[number] = (configuration.family, study.get_trials(deepcopy=False)[-1].number)

    def _fail(self, number: int) -> None:
        family, trial = self._trials[number]
        self._study(family).tell(trial, state=TrialState.FAIL)

    def _study(self, family: str) -> optuna.Study:
        if family not in self._studies:
            self._studies[family] = optuna.create_study(
                storage=self._storage,
                study_name=self._prefix + family,
                direction="maximize",
                load_if_exists=True,
                sampler=sampler("random", 0),
            )
        return self._studies[family]

    def _known(self) -> list[str]:
        """Families that the storage has a study of. Asked one by one: a database holds those of others."""
        known = []
        for family in self._space.families:
            with suppress(KeyError):
                self._storage.get_study_id_from_name(self._prefix + family)
                known.append(family)
        return known
