"""The face that Kubeflow Pipelines sees: for each step one component that calls the library's step."""
