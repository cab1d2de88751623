"""``minorkey promote``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["promote_command"]


def promote_command(
    model: str,
    *,
    version: Annotated[str, Parameter(allow_leading_hyphen=False)] = "",
    reason: str = "by hand",
    cluster: Path | None = None,
) -> None:
    """Make a challenger the champion, as a decision of yours that is recorded.

    The gate promotes by itself what is better beyond noise on the sealed test. This command is for a
    challenger that was kept and has since shown in shadow that it is better (`minorkey shadow show`). The
    predictor that runs here is swapped without a failed request, and verified before the alias moves;
    `minorkey rollback` goes back.

    Example: `minorkey promote cards --reason "two weeks in shadow: +0.09 MCC"`

    Parameters
    ----------
    model
        Name of the registered model.
    version
        Version to promote. Default: the one that the alias `challenger` points to.
    reason
        Why, for the record.
    cluster
        Cluster specification of the cluster that serves the model (`serving`). Default: none serves it.
    """
    from minorkey.cluster.spec import load_cluster_spec
    from minorkey.promote import promote

    spec = None if cluster is None else load_cluster_spec(cluster)
    done = promote(model, version=version, reason=reason, cluster=spec)
    if done.pending:
        told = "is committed, and champion once Argo CD has made it serve"
        print(f"{done.model}: version {done.version} {told}")
        return
    before = f", version {done.left} was before" if done.left else ""
    print(f"{done.model}: version {done.version} is champion{before}")
    if done.url:
        print(f"it serves at {done.url}")
