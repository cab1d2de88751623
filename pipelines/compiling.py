"""Compile every pipeline to the YAML that Kubeflow Pipelines takes."""

from pathlib import Path

from kfp import compiler

from components.image import IMAGE
from pipelines.tune import tune_pipeline

__all__ = ["PIPELINES", "compile_pipelines"]

PIPELINES = {"tune": tune_pipeline}


def compile_pipelines(out: Path, image: str | None = None) -> list[Path]:
    """Write one YAML file a pipeline.

    Args:
        out: the folder.
        image: the image that the steps run in, best by digest. Default: the placeholder of the
            committed files.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, pipeline in PIPELINES.items():
        path, aside = out / f"{name}.yaml", out / f".{name}.partial.yaml"
        compiler.Compiler().compile(pipeline, str(aside))
        text = aside.read_text(encoding="utf-8")
        aside.write_text(text.replace(IMAGE, image or IMAGE), encoding="utf-8")
        written.append(aside.replace(path))
    return written
