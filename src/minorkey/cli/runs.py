"""``minorkey runs``."""

from pathlib import Path

__all__ = ["runs_command"]


def runs_command(
    run: str = "",
    /,
    *,
    host: str,
    namespace: str = "",
    experiment: str = "",
    token_file: Path | None = None,
    ca_file: Path | None = None,
    limit: int = 20,
) -> None:
    """List the newest runs on Kubeflow Pipelines, and why those failed that did.

    Example: `minorkey runs --host http://localhost:8888`

    Parameters
    ----------
    run
        Id of a single run. Default: the newest ones.
    host
        URL of Kubeflow Pipelines' API.
    namespace
        Namespace of a multi-user installation.
    experiment
        Only runs of this experiment.
    token_file
        File with a bearer token.
    ca_file
        Certificates (PEM) that vouch for the server. Default: the system's.
    limit
        Runs to list.
    """
    from minorkey.cli.run import entry_point

    server = entry_point("server")(host, namespace, token_file, ca_file)
    found = entry_point("runs")(server, run_id=run, experiment=experiment, limit=limit)
    for one in found:
        when = "" if one.created is None else f"{one.created:%Y-%m-%d %H:%M}"
        print(f"{one.id}  {one.state.lower():10}  {when:16}  {one.name}")
        for failure in one.failures:
            print(f"    {failure}")
    if not found:
        print("no runs")
