"""Whether a champion can score the rows that its challenger is judged on."""

from minorkey.data.dataset import Schema
from minorkey.data.sources.table import listed
from minorkey.errors import DataError

__all__ = ["require_champion_features"]


def require_champion_features(champion: Schema, schema: Schema, *, name: str) -> None:
    """Refuse data that lack one of the champion's features, or have it as another kind.

    Args:
        champion: what the champion was trained on.
        schema: the data at hand.
        name: the champion, as the message calls it.

    Raises:
        DataError: naming the features that are absent, why, and those of another kind.
    """
    kinds = {feature.name: feature.kind for feature in schema.features}
    lacking = [
        feature.name + (f" ({schema.left_out[feature.name]})" if feature.name in schema.left_out else "")
        for feature in champion.features
        if feature.name not in kinds
    ]
    if lacking:
        raise DataError(
            f"{name} needs columns that are no features of these data",
            key="data.features",
            value=listed(lacking),
            allowed=f"at least the champion's features: {listed(champion.names())}",
            remedy="add the columns (data.keep restores what was left out), or give the new model "
            "another name",
        )
    other = [
        f"{feature.name}: {kinds[feature.name]}, and {feature.kind} in the champion"
        for feature in champion.features
        if kinds[feature.name] != feature.kind
    ]
    if other:
        raise DataError(
            f"{name} knows a column as another kind",
            key="data.categorical",
            value=listed(other),
            allowed="the kinds of the champion's features",
            remedy="correct the values that changed the kind (data.categorical makes any column "
            "categorical), or give the new model another name",
        )
