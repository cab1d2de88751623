"""The pipelines: one file each, reading as the flow."""
