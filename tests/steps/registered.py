"""What `register` takes beside the bundle, as files."""

import json
from pathlib import Path

from minorkey.bundle.bundle import Bundle
from minorkey.steps import register

METRICS = {"average_precision": {"value": 0.5, "low": 0.4, "high": 0.6}}


def write_reports(folder: Path, decision: str = "promote", champion: str = "") -> dict[str, Path]:
    """The step's path arguments, each with a file."""
    folder.mkdir(parents=True, exist_ok=True)
    metrics = METRICS | {"roc_auc": {"value": None, "low": None, "high": None}}
    verdict = {"decision": decision, "reason": "no champion yet", "metrics": {"test": metrics}}
    verdict["champion_version"] = champion
    content = {
        "verdict": ("verdict.json", json.dumps(verdict)),
        "report": ("report.html", "<p>"),
        "card": ("model_card.md", "# Card"),
        "study": ("study.json", "{}"),
    }
    paths = {}
    for role, (name, text) in content.items():
        paths[f"{role}_path"] = folder / name
        paths[f"{role}_path"].write_text(text)
    return paths


def registered(
    bundle: Bundle, run_key: str, folder: Path, *, model: str = "cards", champion: str = ""
) -> register.RegisterResult:
    """The bundle as a new version of a model."""
    reports = write_reports(folder, champion=champion)
    return register.run(model=model, run_key=run_key, bundle_dir=bundle.folder, **reports)
