"""``minorkey rollback``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["rollback_command"]


def rollback_command(
    model: str,
    *,
    to: Annotated[str, Parameter(allow_leading_hyphen=False)] = "",
    reason: str = "by hand",
    cluster: Path | None = None,
) -> None:
    """Make an earlier version of a model its champion again.

    The predictor that runs here is swapped without a failed request, and verified before the alias moves;
    predictors elsewhere that follow `MODEL@champion` swap themselves. The version that is left is tagged
    in the registry with time and reason. With `--cluster` the cluster that serves the model deploys the
    earlier version, asked with the default kubeconfig; where models ship by Git, what is made is the
    commit that reverts, and the alias follows after Argo CD.

    Examples:

    - `minorkey rollback cards --reason "reviewers see too many false alarms"`
    - `minorkey rollback cards --cluster cluster.yaml`

    Parameters
    ----------
    model
        Name of the registered model.
    to
        Version to go back to, an earlier champion. Default: the champion before the present one.
    reason
        Why, for the record.
    cluster
        Cluster specification of the cluster that serves the model (`serving`). Default: none serves it.
    """
    from minorkey.cluster.spec import load_cluster_spec
    from minorkey.rollback import roll_back

    spec = None if cluster is None else load_cluster_spec(cluster)
    done = roll_back(model, to=to, reason=reason, cluster=spec)
    print(f"{done.model}: {done}")
    if done.url:
        print(f"it serves at {done.url}")
