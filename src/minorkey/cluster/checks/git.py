"""Whether models can be shipped by Git: the repository, the rights in it, and the models' files."""

import re
import shutil
from collections.abc import Iterator

from minorkey.cluster.findings import Finding, fine, problem, unseen
from minorkey.cluster.spec import ClusterSpec
from minorkey.errors import InputError
from minorkey.settings import settings

__all__ = ["check_git"]


def check_git(spec: ClusterSpec) -> Iterator[Finding]:
    """Look at the repository of ``serving.gitops`` with the credentials that the environment names.

    Whether a branch is protected shows only when something is pushed to it, which a doctor does not.
    """
    wanted = spec.serving.gitops
    if wanted is None:
        return
    if shutil.which("git") is None:
        yield problem("git", "git is not installed here", "install git 2.31 or later")
        return
    remote = not wanted.repository.startswith(("file:", "git:"))
    if remote and wanted.secret and not settings().git_credentials:
        yield unseen(
            "git",
            f"{wanted.repository} is not looked at: no credentials are known here",
            f"set MINORKEY_GIT_CREDENTIALS to a folder with the keys of Secret {wanted.secret}",
        )
        return
    yield from _repository(spec)


def _repository(spec: ClusterSpec) -> Iterator[Finding]:
    from minorkey.deployment.gitops import target_of_cluster

    try:
        target = target_of_cluster(spec)
        files, problems = target.survey()
    except InputError as error:
        shown = "" if error.value is None else f" ({error.value})"
        yield problem("git", f"{error.key}: {error.problem}{shown}", error.remedy)
        return
    branch = f"branch {target.branch} of {target.repository.address}"
    yield fine("git", f"{branch} can be read and pushed to")
    for one in problems:
        yield problem("model file", f"{one.key}: {one.problem} ({one.value})", one.remedy)
    pattern = re.escape(target.folder).replace(r"\{model\}", "([^/]+)")
    names = [found[1] for path in files if (found := re.match(f"{pattern}/[^/]+$", path))]
    yield fine("model file", f"{len(names)} found: {', '.join(names)}" if names else "none yet")
