"""The bundle: what ships. Loading and scoring import no training library."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from minorkey.bundle.inspection import refuse_foreign
from minorkey.bundle.manifest import GRAPH, read_verified, write_folder
from minorkey.bundle.session import Session
from minorkey.data.dataset import Schema, Scores
from minorkey.errors import BundleError, ContractError
from minorkey.evaluation.calibration import Calibration

if TYPE_CHECKING:
    import onnx
    import pandas as pd

__all__ = ["Bundle", "BundleInfo", "write_bundle"]

_IMPUTATION = {
    "numeric": "median of the training rows, and a column that tells where a value was missing",
    "datetime": "median of the training rows, and a column that tells where a value was missing",
    "categorical": "missing is a level of its own where training had any, else it counts as unseen",
    "unseen": "rare and unseen levels are one level, 'other'",
}


@dataclass(frozen=True)
class BundleInfo:
    """What a bundle says of itself: the content of ``bundle.json``.

    Attributes:
        model: name in the model registry.
        schema: features, target and its two values.
        threshold: rows with a calibrated score of at least this are called positive.
        calibration: from raw score to probability; part of the graph, told here for people.
        configuration: the members, each a `Configuration` as JSON with its ``weight``.
        reference: bins of features and score to compare production with (`reference_profile`).
        membership: enough to tell of any row whether it was in the test.
        lineage: data digest, run, seed, versions.
        validation: cross-fitted metrics of the choice.
        costs: ``false_negative`` and ``false_positive``, for expected cost.
        imputation: how missing and unseen values are treated, by kind of feature.
    """

    model: str
    schema: Schema
    threshold: float
    calibration: Calibration
    configuration: list[dict[str, Any]] = field(default_factory=list)
    reference: dict[str, Any] = field(default_factory=dict)
    membership: dict[str, Any] = field(default_factory=dict)
    lineage: dict[str, Any] = field(default_factory=dict)
    validation: dict[str, Any] = field(default_factory=dict)
    costs: dict[str, float] = field(default_factory=dict)
    imputation: dict[str, str] = field(default_factory=lambda: dict(_IMPUTATION))

    def to_json(self) -> dict[str, Any]:
        """The info as JSON content."""
        return {**vars(self), "schema": self.schema.to_json(), "calibration": self.calibration.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The info from JSON content."""
        # What an earlier minorkey did not say has its default; the digests tell that nothing was taken away.
        fields = {
            name: content[name]
            for name, known in cls.__dataclass_fields__.items()
            if name in content or (known.default is MISSING and known.default_factory is MISSING)
        }
        fields["schema"] = Schema.from_json(content["schema"])
        fields["calibration"] = Calibration.from_json(content["calibration"])
        fields["threshold"] = float(content["threshold"])
        return cls(**fields)


def write_bundle(folder: Path, graph: "onnx.ModelProto", info: BundleInfo) -> str:
    """Write ``model.onnx`` and ``bundle.json`` aside and rename the folder into place.

    Args:
        folder: where it goes; an empty folder or an older bundle there is replaced.
        graph: as `minorkey.bundle.compose.compose` makes it.
        info: what the bundle says of itself; numbers that are not finite are written as null.

    Returns:
        The bundle's digest. Equal graphs and infos give equal digests.

    Raises:
        StateError: the folder holds something else, or cannot be written.
        ContractError: the threshold is not a number.
        BundleError: the graph would be refused when it is loaded.
    """
    if not np.isfinite(info.threshold):
        raise ContractError(f"expected a finite threshold, got {info.threshold}")
    content = graph.SerializeToString(deterministic=True)
    refuse_foreign(content, info.schema)
    return write_folder(folder, {GRAPH: content}, info.to_json())


class Bundle:
    """A verified bundle, ready to score. Several threads may score at once.

    Attributes:
        info: what the bundle says of itself.
        digest: SHA-256 over all its files.
        folder: where it lies.
    """

    def __init__(self, info: BundleInfo, digest: str, folder: Path, session: Session) -> None:
        self.info = info
        self.digest = digest
        self.folder = folder
        self._session = session

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> "Bundle":
        """Verify a bundle and load it.

        Digests, format and graph are checked before onnxruntime sees the graph, and the bytes that were
        checked are the bytes that it gets.

        Args:
            folder: what `write_bundle` wrote.
            threads: threads of one call.

        Raises:
            BundleError: the bundle is altered, incomplete, foreign or of another format.
        """
        manifest, files = read_verified(Path(folder))
        try:
            info = BundleInfo.from_json(manifest)
        except (KeyError, TypeError, ValueError, AttributeError, ContractError) as error:
            raise BundleError(
                "bundle.json lacks what a bundle says of itself",
                key=str(folder),
                value=error,
                remedy="use the version of minorkey that wrote it",
            ) from None
        refuse_foreign(files[GRAPH], info.schema)
        try:
            session = Session(files[GRAPH], threads=threads)
        except Exception as error:  # onnxruntime raises classes of its own, without a common base
            raise BundleError(
                "onnxruntime cannot load the bundle's graph",
                key=str(folder),
                value=error,
                remedy="install the version of onnxruntime that minorkey asks for, or make the bundle again",
            ) from None
        return cls(info, manifest["digest"], Path(folder), session)

    def score(self, features: "pd.DataFrame") -> tuple[Scores, Scores]:
        """Raw and calibrated score of every row, shape (n,) each.

        Args:
            features: canonical features (`minorkey.data.encoding.encode_features`); more columns do no
                harm.

        Raises:
            ShapeError: a feature is absent.
        """
        present = [name for name in self._session.names if name in features]
        return self.score_arrays({name: features[name].to_numpy() for name in present})

    def score_arrays(self, columns: Mapping[str, npt.NDArray[Any]]) -> tuple[Scores, Scores]:
        """Raw and calibrated score of every row, shape (n,) each, without a data frame.

        Args:
            columns: shape (n,) for every feature: float64 with NaN where missing for numbers and times
                (seconds since 1970-01-01 UTC), str with "" where missing for categories.

        Raises:
            ShapeError: a feature is absent, or the columns differ in length.
        """
        raw, score = self._session.run(columns)
        return raw, score
