"""The bundles that stand beside a result in the report: plain models on the same rows."""

from pathlib import Path

from minorkey.bundle.bundle import BundleInfo, write_bundle
from minorkey.bundle.compose import compose
from minorkey.bundle.members import member_graph
from minorkey.data.fold_store import FoldStore
from minorkey.data.preprocessing import Preprocessor
from minorkey.data.training_set import TrainingSet
from minorkey.evaluation.baselines import BASELINES, Prior
from minorkey.evaluation.calibration import Calibration
from minorkey.models.family import Encoding
from minorkey.progress import emit
from minorkey.search.driver import fit_members
from minorkey.search.selection import FRESH
from minorkey.spec import SearchSpec
from minorkey.trials.place import Place

__all__ = ["write_baselines"]


def write_baselines(
    folder: Path,
    training: TrainingSet,
    part: str,
    spec: SearchSpec,
    info: BundleInfo,
    place: Place,
    store: FoldStore,
    seed: int,
) -> None:
    """Fit what the result is compared with: on the same rows, at the threshold anyone would use."""
    emit("phase", part=part, phase="baselines", text="fitting the baselines")
    members = fit_members(
        training,
        part,
        list(BASELINES.values()),
        spec,
        partition=FRESH,
        folds=[None],
        root=place.root,
        store=store,
        seed=seed,
        executor=place.executor,
    )
    rows = training.dataset.take(training.part(part).rows)
    share = float((rows.y * (1.0 if rows.weight is None else rows.weight)).sum())
    share /= len(rows) if rows.weight is None else float(rows.weight.sum())
    encoding = Encoding(scale=False, categorical="ordinal")
    preprocessor = Preprocessor.fit(rows.features, rows.schema, encoding, interactions=False)
    prior = member_graph(preprocessor, Prior(share, len(preprocessor.names)))
    graphs = {
        name: members[configuration.digest(), None].graph(place.root)
        for name, configuration in BASELINES.items()
    }
    for name, graph in {"prior": prior, **graphs}.items():
        configuration = BASELINES.get(name)
        plain = BundleInfo(
            **{
                **vars(info),
                "threshold": 0.5,
                "calibration": Calibration(kind="none", parameters={}),
                "configuration": [{"weight": 1.0, **configuration.to_json()}] if configuration else [],
                "validation": {},
            }
        )
        write_bundle(folder / name, compose([(graph, 1.0)], plain.calibration), plain)
