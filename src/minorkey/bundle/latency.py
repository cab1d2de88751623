"""How long a graph takes for one row."""

import time

import numpy as np
import onnx
import onnxruntime

__all__ = ["row_latency_us"]


def row_latency_us(graph: onnx.ModelProto, *, repeats: int = 200) -> float:
    """Median microseconds for scoring one row on one thread, feeds prepared beforehand.

    Args:
        graph: a composed graph; its inputs are filled with zeros and empty strings.
        repeats: timed calls, after a few that are not.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    feeds = {}
    for tensor in session.get_inputs():
        shape = (1,) * max(1, len(tensor.shape))
        text = tensor.type == "tensor(string)"
        feeds[tensor.name] = np.full(shape, "", dtype=object) if text else np.zeros(shape, dtype=np.float64)
    seconds = []
    for _ in range(repeats + 5):
        started = time.perf_counter()
        session.run(None, feeds)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[5:]) * 1e6)
