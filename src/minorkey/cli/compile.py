"""``minorkey compile``."""

from pathlib import Path

__all__ = ["compile_command"]


def compile_command(*, out: Path = Path("pipelines/compiled"), image: str | None = None) -> None:
    """Write the pipelines as YAML for Kubeflow Pipelines.

    Example: `minorkey compile --out build --image registry.example/minorkey@sha256:...`

    Parameters
    ----------
    out
        Folder for the files, one for each pipeline.
    image
        Image that the steps run in, best by digest. Default: the placeholder of the committed files.
    """
    from minorkey.cli.run import entry_point

    for path in entry_point("compile")(out, image):
        print(path)
