"""The place of the predictor that serves: swapped as a whole, between two requests."""

from minorkey.serving.metrics import PredictorMetrics
from minorkey.serving.predictor import Predictor
from minorkey.serving.records import Recorder
from minorkey.serving.shadow import Shadow

__all__ = ["Slot"]


class Slot:
    """Holds the predictor; a request takes it once and keeps it to its end.

    Attributes:
        current: what new requests get.
        metrics: counters that outlive a swap.
        recorder: what takes a record of every row that is scored, None for nobody.
        shadow: what scores with a challenger too, beside the requests.
    """

    def __init__(self, predictor: Predictor) -> None:
        self.metrics = PredictorMetrics()
        self.recorder: Recorder | None = None
        self.shadow = Shadow(self.metrics.registry)
        self.current = predictor
        self.swap(predictor)

    def swap(self, predictor: Predictor) -> None:
        """Warm a predictor, then let it answer every new request."""
        predictor.warm()
        self.metrics.serve(predictor)
        self.shadow.beside(predictor)
        self.current = predictor
