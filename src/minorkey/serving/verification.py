"""Does what serves answer like the bundle itself?"""

from typing import Any

import httpx
import numpy as np

from minorkey.bundle.bundle import Bundle
from minorkey.data.dataset import Scores
from minorkey.errors import ContractError, StateError
from minorkey.serving.columns import Columns, take_rows
from minorkey.serving.samples import sample_rows

__all__ = [
    "CHECK_HEADER",
    "check_answer",
    "inference_body",
    "verification_rows",
    "verify_in_process",
    "verify_server",
]

#: A request with this header is answered, but neither counted nor recorded: its rows are no customer's.
CHECK_HEADER = "X-Minorkey-Check"

_ROWS = 20
_TOLERANCE = 1e-6


def verify_in_process(bundle: Bundle) -> dict[str, Any]:
    """Check that the bundle scores, and a row alone as it does among others.

    Returns:
        ``rows`` and ``largest_difference``.

    Raises:
        ContractError: a score is no probability, or depends on the rows beside it.
    """
    rows = sample_rows(bundle.info, _ROWS)
    together = bundle.score_arrays(rows)[1]
    alone = np.concatenate(
        [bundle.score_arrays(take_rows(rows, np.array([row])))[1] for row in range(len(together))]
    )
    if not np.all((together >= 0) & (together <= 1)):
        raise ContractError("the bundle's scores are not all probabilities")
    return _compared("a row scored alone", alone, together)


def verify_server(url: str, model: str, version: str, bundle: Bundle) -> dict[str, Any]:
    """Check that a predictor serves this bundle and answers like it.

    Args:
        url: where it answers.
        model: the name it serves.
        version: the version it should serve.
        bundle: what it should serve.

    Returns:
        ``rows`` and ``largest_difference``.

    Raises:
        StateError: it does not answer.
        ContractError: it serves another bundle, or other scores.
    """
    rows = verification_rows(bundle)
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
            served = http.get(f"/v2/models/{model}").raise_for_status().json()
            body = inference_body(rows)
            answer = (
                http.post(f"/v2/models/{model}/versions/{version}/infer", json=body).raise_for_status().json()
            )
    except (httpx.HTTPError, ValueError) as error:
        raise StateError(
            f"the predictor does not answer: {error}",
            key=url,
            remedy="read predictor.log beside its server.json",
        ) from None
    return check_answer(served, answer, rows, bundle)


def verification_rows(bundle: Bundle) -> Columns:
    """The rows on which a predictor is compared with its bundle."""
    return sample_rows(bundle.info, _ROWS)


def check_answer(
    served: dict[str, Any], answer: dict[str, Any], rows: Columns, bundle: Bundle
) -> dict[str, Any]:
    """Check what a predictor says of itself and of rows.

    Args:
        served: its model's metadata.
        answer: to `inference_body` of `rows`.
        rows: that it was asked for.
        bundle: what it should serve.

    Returns:
        ``rows`` and ``largest_difference``.

    Raises:
        ContractError: it serves another bundle, or other scores.
    """
    if served["parameters"]["digest"] != bundle.digest:
        raise ContractError(f"the predictor serves {served['parameters']['digest']}, not {bundle.digest}")
    scores = np.array(answer["outputs"][0]["data"], dtype=np.float64)
    return _compared("the predictor", scores, bundle.score_arrays(rows)[1])


def inference_body(rows: Columns) -> dict[str, Any]:
    """The protocol's request for rows: a missing number is null, a missing category an empty string."""
    inputs = []
    for name, values in rows.items():
        text = values.dtype == object
        data = [None if not text and np.isnan(value) else value for value in values.tolist()]
        datatype = "BYTES" if text else "FP64"
        inputs.append({"name": name, "shape": [len(data)], "datatype": datatype, "data": data})
    return {"inputs": inputs, "outputs": [{"name": "score"}]}


def _compared(what: str, found: Scores, expected: Scores) -> dict[str, Any]:
    difference = float(np.max(np.abs(found - expected)))
    if not difference <= _TOLERANCE:
        raise ContractError(f"{what} differs from the bundle's own scores by {difference:.2g}")
    return {"rows": len(expected), "largest_difference": difference}
