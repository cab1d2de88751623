"""``minorkey confirm``."""

__all__ = ["confirm_command"]


def confirm_command(model: str, *, digest: str, url: str, seconds: float = 600.0) -> None:
    """Make the version that Git holds the champion, once its predictors answer as its bundle does.

    Argo CD runs it after every sync of a model that ships by Git. It waits until all that answers serves the
    bundle, compares the answers with the bundle's own scores, and moves the alias `champion`; if the version
    is champion already, it only looks. The alias stays where it is if the champion is no longer the one that
    the version was compared with.

    Example: `minorkey confirm cards --digest 1f3a... --url http://cards-predictor.minorkey-models.svc`

    Parameters
    ----------
    model
        Name of the registered model.
    digest
        Digest of the bundle that the model's file in Git holds.
    url
        Where the predictors answer.
    seconds
        How long to wait for them.
    """
    from minorkey.deployment.gitops import confirm

    done = confirm(model, digest, url.rstrip("/"), seconds=seconds)
    if done.left == done.version:
        print(f"{model}: version {done.version} serves and is champion")
        return
    before = f"version {done.left}" if done.left else "none"
    print(f"{model}: version {done.version} serves and is champion now; before: {before}")
