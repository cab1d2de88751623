"""The specification: what is read as what."""

from pathlib import Path

import pytest

from minorkey.cli.run import parse_settings
from minorkey.errors import SpecError
from minorkey.spec import RunSpec, load_spec, with_overrides


@pytest.mark.parametrize("text", ["2025-02-01", "2025-02-01T06:00:00Z"])
def test_a_date_needs_no_quotes(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.yaml").write_text(f"split: {{test_start: {text}}}")
    from_file = load_spec(tmp_path / "spec.yaml")
    from_setting = with_overrides({}, parse_settings([f"split.test_start={text}"]))
    assert from_file == from_setting
    assert str(from_setting.split.test_start).startswith("2025-02-01")


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("")
    assert load_spec(tmp_path / "spec.yaml") == RunSpec()


def test_a_key_below_a_value_is_refused() -> None:
    with pytest.raises(SpecError, match="no keys below it"):
        with_overrides({}, {"seed": 1, "seed.sub": 2})
