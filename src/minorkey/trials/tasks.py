"""The tasks that workers run. Rows are read once a worker; prepared folds are memory-mapped.

On another machine, rows come through the study root and folds are prepared on its own disk.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minorkey.data.fold_store import FoldStore, PreparedFold
from minorkey.data.training_set import TrainingSet
from minorkey.models import family
from minorkey.settings import settings
from minorkey.trials.member import fit_member
from minorkey.trials.rows import fetch_rows
from minorkey.trials.rung import Rung
from minorkey.trials.running import Report, run_trial
from minorkey.trials.study_root import open_root
from minorkey.trials.trial import Configuration

__all__ = ["member", "trial"]


def trial(
    report: Report,
    *,
    training: str,
    store: str,
    store_bytes: int,
    part: str,
    order: Sequence[int],
    rungs: Sequence[Sequence[float]],
    number: int,
    configuration: dict[str, Any],
    seed: int,
    trial_seed: int,
    threads: int,
) -> dict[str, Any]:
    """Run one trial on the search partition of a part.

    Args:
        report: see `minorkey.trials.running.run_trial`.
        training: folder of the training set, or what `minorkey.trials.rows.put_rows` gave.
        store: folder of the fold store; empty: this machine's own.
        store_bytes: size bound of the fold store; 0: this machine's own.
        part: name of the part.
        order: indices of the folds in the order in which they are fitted.
        rungs: (share of the negatives, number of folds) of every rung.
        number: the trial's number.
        configuration: what to try, as JSON content.
        seed: seed of what is shared by trials: random resampling.
        trial_seed: seed of the fits.
        threads: most threads to use.
    """
    rows, folds = _training(training), _store(store, store_bytes)
    tried = Configuration.from_json(configuration)
    encoding = family(tried.family).encoding

    def fold(index: int) -> PreparedFold:
        return folds.prepare(rows, part, 0, order[index], tried, encoding=encoding, seed=seed)

    steps = [Rung(negatives, int(count)) for negatives, count in rungs]
    return run_trial(number, tried, fold, steps, report, seed=trial_seed, threads=threads).to_json()


def member(
    report: Report,
    *,
    training: str,
    store: str,
    store_bytes: int,
    root: str,
    part: str,
    partition: int,
    fold: int | None,
    configuration: dict[str, Any],
    seed: int,
    threads: int,
) -> dict[str, Any]:
    """Fit one member of what may ship (`minorkey.trials.member.fit_member`).

    An empty ``root`` is the study root of this machine's settings, an empty ``store`` its own.
    """
    fitted = fit_member(
        _training(training),
        part,
        partition,
        fold,
        Configuration.from_json(configuration),
        store=_store(store, store_bytes),
        root=open_root(root or settings().study_root),
        seed=seed,
        threads=threads,
    )
    return {"key": fitted.key}


@functools.lru_cache(maxsize=1)
def _training(folder: str) -> TrainingSet:
    return TrainingSet.read(fetch_rows(folder))


@functools.lru_cache(maxsize=1)
def _store(folder: str, max_bytes: int) -> FoldStore:
    own = settings()
    return FoldStore(Path(folder or own.home / "folds"), max_bytes or own.fold_store_bytes)
