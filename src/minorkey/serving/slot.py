"""The place of the predictor that serves: swapped as a whole, between two requests."""

from minorkey.serving.metrics import PredictorMetrics
from minorkey.serving.predictor import Predictor
from minorkey.serving.records import Recorder

__all__ = ["Slot"]


class Slot:
    """Holds the predictor; a request takes it once and keeps it to its end.

    Attributes:
        current: what new requests get.
        metrics: counters that outlive a swap.
        recorder: what takes a record of every row that is scored, None for nobody.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.metrics = PredictorMetrics()
        self.recorder: Recorder | None = None
        self.current = predictor
        self.swap(predictor)

    def swap(self, predictor: Predictor) -> None:
        """Warm a predictor, then let it answer every new request."""
        predictor.warm()
        self.metrics.serve(predictor)
        self.current = predictor
