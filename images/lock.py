"""Write images/locks/: which files go into the images, each by its hash.

    python images/lock.py [--wheels FOLDER]

Names come from pyproject.toml and images/predictor/requirements.txt, versions from constraints.txt,
hashes from the package indexes. Only metadata is read; nothing is installed. torch's CPU build is
on PyTorch's own index alone; where that cannot be reached, FOLDER holds its wheel as downloaded.
"""

import argparse
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from uv import find_uv_bin

__all__ = ["Package", "locks", "resolve", "wanted"]

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "images/locks"
PLATFORM = "x86_64-manylinux_2_28"
PYPI = "https://pypi.org/simple"
PYPI_FILES = "https://files.pythonhosted.org/"
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
#: Extras of pyproject.toml that the pipeline's image holds besides the plain dependencies.
EXTRAS = ("cluster",)


@dataclass(frozen=True, order=True)
class Package:
    """One pinned package and the files that it may be installed from."""

    name: str
    version: str
    hashes: tuple[str, ...]
    #: Where its files lie.
    sources: tuple[str, ...]

    def __str__(self) -> str:
        return " \\\n    ".join(
            [f"{self.name}=={self.version}", *(f"--hash=sha256:{digest}" for digest in self.hashes)]
        )


def wanted() -> list[str]:
    """What pyproject.toml asks for in the pipeline's image."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (project["optional-dependencies"][extra] for extra in EXTRAS)
    return [*project["dependencies"], *(name for extra in extras for name in extra)]


def resolve(requirements: Iterable[str], *options: str) -> dict[str, Package]:
    """All packages that the requirements need on the images' platform, by name.

    Args:
        requirements: names, with extras and markers where needed.
        options: further options of ``uv pip compile``.

    Raises:
        subprocess.CalledProcessError: constraints.txt fits the requirements in no way, or an index
            cannot be reached; uv has said which.
    """
    with tempfile.TemporaryDirectory() as name:
        asked, found = Path(name, "asked.txt"), Path(name, "pylock.toml")
        asked.write_text("\n".join(requirements), encoding="utf-8")
        command = [find_uv_bin(), "pip", "compile", "--quiet", str(asked), "--output-file", str(found)]
        command += ["--constraints", str(ROOT / "constraints.txt"), "--format", "pylock.toml"]
        command += ["--python-version", "3.11", "--python-platform", PLATFORM, "--default-index", PYPI]
        subprocess.run([*command, *options], check=True)  # noqa: S603
        content = tomllib.loads(found.read_text(encoding="utf-8"))
    return {entry["name"]: _package(entry) for entry in content["packages"]}


def _package(entry: dict) -> Package:
    files = entry.get("wheels") or [entry["sdist"]]
    return Package(
        entry["name"],
        entry["version"],
        tuple(sorted(file["hashes"]["sha256"] for file in files)),
        tuple(unquote(file["url"]) for file in files),
    )


def locks(wheels: Path | None = None) -> dict[str, str]:
    """The content of every lock by file name.

    Args:
        wheels: folder with torch's CPU wheel, instead of PyTorch's index.

    Raises:
        SystemExit: the variants would hold different versions, or a file lies outside of its index.
    """
    torch_cpu = ("--torch-backend", "cpu") if wheels is None else ("--find-links", str(wheels))
    cpu, cuda = resolve(wanted(), *torch_cpu), resolve(wanted())
    shared = {name: package for name, package in cpu.items() if name != "torch"}
    if differing := [name for name in shared if shared[name] != cuda.get(name)]:
        raise SystemExit(f"the variants differ in {', '.join(differing)}: pin them in constraints.txt")
    predictor = (ROOT / "images/predictor/requirements.txt").read_text(encoding="utf-8").splitlines()
    sets = {
        "build.txt": resolve(["setuptools"]),
        "pipeline.txt": shared,
        "predictor.txt": resolve(predictor),
        "torch-cuda.txt": {name: package for name, package in cuda.items() if name not in shared},
    }
    for packages in sets.values():
        _refuse_files_outside_of_pypi(packages.values())
    texts = {name: _text(packages.values(), PYPI) for name, packages in sets.items()}
    return {**texts, "torch-cpu.txt": _text([cpu["torch"]], TORCH_CPU)}


def _refuse_files_outside_of_pypi(packages: Iterable[Package]) -> None:
    for package in packages:
        if strange := [source for source in package.sources if not source.startswith(PYPI_FILES)]:
            raise SystemExit(f"{package.name} is not from PyPI: {', '.join(strange)}")


def _text(packages: Iterable[Package], index: str) -> str:
    head = [f"# Written by `make lock` for CPython 3.11, {PLATFORM}.", f"# index: {index}"]
    return "\n".join([*head, *map(str, sorted(packages))]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheels", type=Path, help="folder with torch's CPU wheel")
    for name, text in locks(parser.parse_args().wheels).items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"images/locks/{name}: {text.count('==')} packages")


if __name__ == "__main__":
    main()
