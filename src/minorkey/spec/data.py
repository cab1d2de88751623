"""data: where the rows come from and what the columns mean."""

from pydantic import Field

from minorkey.spec.section import Fraction, Section

__all__ = ["DataSpec"]


class DataSpec(Section):
    """Where the rows come from and what the columns mean."""

    source: str = Field(
        "builtin:cards",
        description="A path or fsspec URI (CSV, TSV, Parquet, npz), openml:ID, sklearn:NAME, builtin:cards.",
    )
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict,
        description="Options of the source, e.g. rows, days, drift_day of builtin:cards.",
    )
    target: str | None = Field(
        None, description="The column to predict. Needed for every source of your own."
    )
    positive: str | int | float | bool | None = Field(
        None, description="The target's value that is the rare event. Default: the rarer of the two values."
    )
    features: tuple[str, ...] | None = Field(None, description="Use only these columns as features.")
    drop: tuple[str, ...] = Field((), description="Never use these columns as features.")
    keep: tuple[str, ...] = Field(
        (), description="Keep these columns even if they look like a leak or an id."
    )
    categorical: tuple[str, ...] = Field(
        (), description="Treat these columns as categories, whatever their type."
    )
    weight: str | None = Field(None, description="Column with a non-negative weight for each row.")
    entity: str | None = Field(None, description="Column that names what rows belong to (customer, patient).")
    event_time: str | None = Field(None, description="Column with the time at which the event happened.")
    label_time: str | None = Field(None, description="Column with the time at which the label became known.")
    cost: str | None = Field(None, description="Column with the cost of missing this row, if positive.")
    slices: tuple[str, ...] = Field(
        (), description="Columns that have to be features; filled in from evaluate.slices."
    )
    leak_average_precision: Fraction = Field(
        0.95, description="A column (or pair) that alone ranks this well is left out as a leak suspect."
    )
    max_columns: int = Field(2_000, ge=1, description="More columns than this are refused.")
    max_cell_bytes: int = Field(1_000_000, ge=1, description="A longer text cell is refused.")
