"""``python -m minorkey.drift.dashboard FOLDER``: write the dashboard below a folder."""

import argparse
from pathlib import Path

from minorkey.aside import put_text
from minorkey.drift.dashboard.grafana import render_dashboard

parser = argparse.ArgumentParser(prog="minorkey.drift.dashboard")
parser.add_argument("folder", type=Path)
folder: Path = parser.parse_args().folder / "dashboards"
folder.mkdir(parents=True, exist_ok=True)
put_text(folder / "minorkey.json", render_dashboard())
