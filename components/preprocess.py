"""The preprocess step as a component."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def preprocess(
    data: Input[Dataset],
    train: Output[Dataset],
    test: Output[Dataset],
    model: str,
    split_section: str,
    seed: int,
):
    """Split the rows into training folds and the sealed test. Fits nothing.

    Args:
        data: what load wrote.
        train: folder of the training rows and their folds.
        test: folder of the sealed test.
        model: name in the registry.
        split_section: the specification's split section, as JSON.
        seed: seed of everything random but the split by hash.
    """
    from pathlib import Path

    from minorkey.steps import preprocess as step

    step.run(
        model=model,
        split=split_section,
        seed=seed,
        data_dir=Path(data.path),
        train_dir=Path(train.path),
        test_dir=Path(test.path),
    )
