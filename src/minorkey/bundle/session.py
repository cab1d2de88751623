"""Running a graph in onnxruntime, on raw columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from minorkey.errors import ShapeError

__all__ = ["Session"]

#: Most rows in one call: bounds the memory of what lies between the graph's nodes.
_BATCH = 65_536
#: From this many rows on, memory is given back after the call.
_SHRINK = 4_096


class Session:
    """A graph over raw columns, ready to run. Several threads may run it at once.

    Args:
        content: the serialised graph.
        threads: threads of one call.
    """

    def __init__(self, content: bytes, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # The number of rows differs from call to call: a memory plan by shape would only pile up.
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
        inputs = self._session.get_inputs()
        self.names: tuple[str, ...] = tuple(value.name for value in inputs)
        self._kinds: dict[str, Any] = {
            value.name: object if value.type == "tensor(string)" else np.float64 for value in inputs
        }
        self._alone = len(inputs) == 1
        self._outputs = [value.name for value in self._session.get_outputs()]
        self._shrink = onnxruntime.RunOptions()
        self._shrink.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def run(self, columns: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[np.float64]]:
        """Every output, shape (n,), of raw columns.

        Args:
            columns: shape (n,) for every input: numbers and times as float64 with NaN where missing,
                categories as str with "" where missing (``None`` and NaN mean missing too). More
                columns do no harm.

        Raises:
            ShapeError: a column is absent, or the columns differ in length.
        """
        try:
            feeds = {name: np.ascontiguousarray(columns[name], kind) for name, kind in self._kinds.items()}
        except KeyError as error:
            raise ShapeError(f"the column {error} is absent; expected {list(self.names)}") from None
        shapes = {values.shape for values in feeds.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1:
            raise ShapeError(f"expected columns of one length, got the shapes {sorted(shapes)}")
        rows = next(iter(shapes))[0]
        if self._alone:
            feeds = {name: values.reshape(-1, 1) for name, values in feeds.items()}
        if not rows:
            return [np.empty(0) for _ in self._outputs]
        if rows < _SHRINK:
            return [output.astype(np.float64) for output in self._call(feeds, None)]
        parts = [
            self._call({name: values[start : start + _BATCH] for name, values in feeds.items()}, self._shrink)
            for start in range(0, rows, _BATCH)
        ]
        return [np.concatenate(outputs).astype(np.float64) for outputs in zip(*parts, strict=True)]

    def _call(self, feeds: dict[str, npt.NDArray[Any]], options: Any) -> list[npt.NDArray[np.float32]]:
        try:
            return self._session.run(self._outputs, feeds, options)
        except UnicodeEncodeError:
            # Text with lone surrogates cannot be passed on. No level holds any: it is "other" anyway.
            encodable = np.vectorize(_encodable, otypes=[object])
            feeds = {
                name: encodable(values) if values.dtype == object else values
                for name, values in feeds.items()
            }
            return self._session.run(self._outputs, feeds, options)


def _encodable(value: object) -> object:
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        return value.encode("utf-8", "replace").decode() + "\ufffd"
    return value
