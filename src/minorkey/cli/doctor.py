"""``minorkey doctor``."""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["doctor_command"]

_MARKS = {"ok": "ok", "warning": "warn", "problem": "FAIL", "unseen": "?"}


def doctor_command(
    *,
    cluster: Path | None = None,
    kubeconfig: Path | None = None,
    context: str | None = None,
    token_file: Path | None = None,
    host: str = "",
    schedules: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Look for what would keep a run from working, here and on a cluster; each finding with its remedy.

    Ends with 2 if there is a problem, with 0 if there are only warnings. Examples:

    - `minorkey doctor`
    - `minorkey doctor --cluster cluster.yaml --host http://localhost:8888`

    Parameters
    ----------
    cluster
        Cluster specification to compare with the cluster. Default: only this machine is looked at.
    kubeconfig
        Kubeconfig to ask with. Default: as kubectl.
    context
        Its context. Default: the current one.
    token_file
        Bearer token to ask with, e.g. one of the tune step's ServiceAccount (`kubectl create token`).
    host
        URL of Kubeflow Pipelines' API, to look at its version, and whether it has what the schedules say.
    schedules
        File of schedules, to look whether it is right.
    as_json
        Print the findings as JSON.
    """
    from minorkey.cluster.doctor import diagnose
    from minorkey.cluster.spec import load_cluster_spec

    spec = None if cluster is None else load_cluster_spec(cluster)
    findings = diagnose(spec, kubeconfig=kubeconfig, context=context, token_file=token_file, host=host)
    if schedules is not None:
        from minorkey.cluster.checks.schedules import check_schedules

        findings += check_schedules(schedules, host)
    if as_json:
        print(json.dumps([finding.to_json() for finding in findings], indent=1))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.status]:4}  {finding.check:14}  {finding.text}")
            if finding.status != "ok":
                print(f"{'':22}remedy: {finding.remedy}")
    if any(finding.status == "problem" for finding in findings):
        raise SystemExit(2)
