"""result.json: what a run found, for machines; and the short table that ends a run, for people."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from minorkey.aside import put_text
from minorkey.errors import MinorkeyError
from minorkey.run_state import RunFolder
from minorkey.settings import settings

__all__ = ["assemble", "print_summary", "write_result"]

#: Version of result.json. Keys are only added within one.
FORMAT = 1
_DATA = ("digest", "rows", "positives", "imbalance_ratio")
_SHOWN = {"average_precision": "average precision", "matthews_corrcoef": "Matthews correlation"}


def write_result(folder: RunFolder) -> None:
    """Write ``result.json`` into a folder whose other files are complete."""
    put_text(folder.out / "result.json", json.dumps(assemble(folder), indent=1))


def assemble(folder: RunFolder) -> dict[str, Any]:
    """The content of ``result.json``, from what the steps left in the folder."""
    profile, study, verdict, deployment = (
        _read(folder.out / name) for name in ("profile.json", "study.json", "verdict.json", "deployment.json")
    )
    return {
        "format": FORMAT,
        "model": verdict.get("model", study.get("model")),
        "run_key": folder.run_key,
        "data": {name: profile.get(name) for name in _DATA},
        "split": verdict.get("split"),
        "test": verdict.get("test"),
        "configuration": study.get("configuration"),
        "metrics": {
            "test": verdict["metrics"]["test"],
            "validation": study.get("metrics", {}).get("validation", {}),
            "baselines": verdict["metrics"].get("baselines", {}),
        },
        "threshold": verdict.get("threshold", study.get("threshold")),
        "gate": {
            "decision": verdict["decision"],
            "reason": verdict["reason"],
            "opening": verdict.get("opening"),
            "alpha": verdict.get("alpha"),
        },
        "trials": study.get("counts", {}),
        "timings": _timings(folder.events),
        "versions": study.get("versions", {}),
        "seed": study.get("seed"),
        "deployment": deployment or None,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def print_summary(out: Path, *, predict: bool = True) -> None:
    """Print how a run ended: metrics, decision, where to look next, and a live prediction.

    Args:
        out: the run's folder.
        predict: ask the deployed model for one prediction.
    """
    result = _read(out / "result.json")
    lines = {title: _interval(result["metrics"]["test"].get(name)) for name, title in _SHOWN.items()}
    lines["threshold"] = _number(result.get("threshold"))
    lines["decision"] = f"{result['gate']['decision']}: {result['gate']['reason']}"
    lines["report"] = str(out / "report.html")
    lines["runs and trials"] = _tracking_page()
    lines |= _serving(out, result, predict=predict)
    # No table that wraps: paths and commands are there to be copied.
    for title, text in lines.items():
        print(f"{title:<22}{text}")


def _tracking_page() -> str:
    """The address of the MLflow server, or the command that opens what lies in files."""
    uri = settings().tracking_uri
    if uri.startswith(("http://", "https://")):
        return uri
    return f"{_command('mlflow')} ui --backend-store-uri {uri}"


def _serving(out: Path, result: dict[str, Any], *, predict: bool) -> dict[str, str]:
    """Which version answers, be it this run's or an earlier one's, and how to end it; else how to serve."""
    from minorkey.registry import fetch_bundle
    from minorkey.serving import local

    model, deployment, minorkey = result["model"], result.get("deployment") or {}, _command("minorkey")
    now = local.served(model)
    if deployment.get("url"):
        url, bundle, told = deployment["url"], str(out / "bundle"), f"version {deployment['version']}"
    elif now.server is not None and now.target is not None:
        url, bundle, told = (
            now.server.url,
            now.target.bundle,
            f"version {now.target.version}, not of this run",
        )
    else:
        promoted = deployment or _read(out / "verdict.json").get("champion_version")
        what = f"--model {model}@champion" if promoted else f"--bundle {out / 'bundle'}"
        return {"served": "no", "to serve it": f"{minorkey} serve {what}"}
    lines = {"served at": f"{url}  ({told})"}
    if predict:
        try:
            lines["one prediction"] = _prediction(fetch_bundle(bundle), url)
        except MinorkeyError as error:
            lines["one prediction"] = f"none: {error}"
    return {**lines, "to end it": f"{minorkey} serve --stop {model}"}


def _prediction(bundle: Path, url: str) -> str:
    """One row, answered by the deployed model over HTTP."""
    import httpx

    from minorkey.bundle.bundle import Bundle
    from minorkey.serving.samples import sample_rows

    columns = sample_rows(Bundle.load(bundle).info, 1)
    row = {name: _plain(values[0]) for name, values in columns.items()}
    try:
        # Not through a proxy that the environment names.
        reply = httpx.post(f"{url}/predict", json=row, timeout=10.0, trust_env=False)
        answer = reply.raise_for_status().json()
    except httpx.HTTPError as error:
        return f"the deployed model did not answer: {error}"
    given = [
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in row.items()
    ]
    told = answer["predictions"][0]
    more = ", ..." if len(given) > 3 else ""
    shown = f"score {told['score']:.4f}, predicted {told['predicted']}, for {', '.join(given[:3])}{more}"
    return f"{shown} (version {answer['version']})"


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value != value else value


def _interval(interval: dict[str, float] | None) -> str:
    if not interval or interval["value"] is None:
        return "not defined"
    if interval["low"] is None or interval["high"] is None:
        return f"{interval['value']:.4f}"
    return f"{interval['value']:.4f}  [{interval['low']:.4f}, {interval['high']:.4f}]"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _command(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)


def _timings(events: Path) -> dict[str, dict[str, float]]:
    """Seconds of every step, from the last time it finished."""
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    finished = [json.loads(line) for line in lines if line.startswith('{"event": "step_finished"')]
    spent = ("seconds", "cpu_seconds")
    return {event["step"]: {name: event[name] for name in spent} for event in finished}


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
