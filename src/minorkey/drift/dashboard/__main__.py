"""``python -m minorkey.drift.dashboard FOLDER``: write the dashboard below a folder."""

import argparse
from pathlib import Path

from minorkey.drift.dashboard.grafana import render_dashboard

parser = argparse.ArgumentParser(prog="minorkey.drift.dashboard")
parser.add_argument("folder", type=Path)
folder: Path = parser.parse_args().folder / "dashboards"
folder.mkdir(parents=True, exist_ok=True)
(folder / "minorkey.json").write_text(render_dashboard(), encoding="utf-8")
