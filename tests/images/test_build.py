"""images/build: what it hands to the build tool, and what it refuses before anything is built."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DIGEST = "registry.example/python@sha256:" + "0f" * 32


@pytest.fixture
def clone(tmp_path):
    """A repository of its own with the files that matter, all committed."""
    (tmp_path / "images").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("build", "locks", "pipeline", "predictor"):
        source, target = ROOT / "images" / name, tmp_path / "images" / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "all")
    return tmp_path


def git(folder, *arguments) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def build(folder, *images, **environment) -> subprocess.CompletedProcess:
    """Run with `echo` as the build tool: what it would be told is on standard output."""
    return subprocess.run(
        [folder / "images/build", *images],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "CONTAINER_TOOL": "echo", **environment},
        capture_output=True,
        text=True,
    )


def test_both_images_get_version_and_revision(clone):
    done = build(clone, IMAGE_TAG="1.2", BASE=DIGEST)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("build ")]
    revision = git(clone, "rev-parse", "HEAD")
    for line, image in zip(told, ("pipeline", "predictor"), strict=True):
        assert f"-f images/{image}/Dockerfile -t localhost/minorkey-{image}:1.2 ." in line
        assert f"--build-arg REVISION={revision} " in line
        assert "--build-arg VERSION=0." in line
        assert f"--build-arg BASE={DIGEST} " in line


def test_the_cuda_variant_has_a_tag_of_its_own_and_concerns_the_pipeline_alone(clone):
    pipeline, predictor = (
        build(clone, image, VARIANT="cuda", IMAGE_TAG="1.2", REGISTRY="r.example/team").stdout
        for image in ("pipeline", "predictor")
    )
    assert "--build-arg VARIANT=cuda" in pipeline
    assert "-t r.example/team/minorkey-pipeline:1.2-cuda " in pipeline
    assert "cuda" not in predictor


@pytest.mark.parametrize("base", ["", "docker.io/library/python:3.11-slim", "python@sha256:abc"])
def test_a_release_refuses_a_base_without_a_digest(clone, base):
    done = build(clone, RELEASE="1", BASE=base)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"BASE is '{base}', allowed: NAME@sha256:" in done.stderr


def test_a_release_refuses_a_work_tree_with_changes(clone):
    (clone / "new.txt").write_text("new")
    done = build(clone, RELEASE="1", BASE=DIGEST)
    assert (done.returncode, done.stdout) == (2, "")
    assert "commit them or put them away" in done.stderr


def test_a_release_from_a_commit_and_a_digest_is_built(clone):
    done = build(clone, RELEASE="1", BASE=DIGEST)
    assert done.returncode == 0
    assert "built localhost/minorkey-predictor:" in done.stdout


@pytest.mark.parametrize(
    ("image", "variant", "said"),
    [
        ("pipeline", "rocm", "VARIANT is 'rocm'; allowed: cpu, cuda"),
        ("web", "cpu", "there is no image 'web'"),
    ],
)
def test_unknown_names_are_refused_with_what_is_allowed(clone, image, variant, said):
    done = build(clone, image, VARIANT=variant)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
