"""The thing that ships: an ONNX graph and bundle.json."""
