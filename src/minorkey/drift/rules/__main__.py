"""``python -m minorkey.drift.rules FOLDER``: write every rendering below a folder."""

import argparse
from pathlib import Path

from minorkey.aside import put_text
from minorkey.drift.rules import KINDS, LOOP, PRODUCTION, render, render_alertmanager, render_prometheus
from minorkey.drift.rules.operator import RENDERED

parser = argparse.ArgumentParser(prog="minorkey.drift.rules")
parser.add_argument("folder", type=Path)
folder: Path = parser.parse_args().folder
for windows in (PRODUCTION, LOOP):
    texts = {kind: render(kind, windows) for kind in KINDS}
    texts |= {"alertmanager": render_alertmanager(windows), "prometheus": render_prometheus(windows)}
    for kind, text in texts.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        put_text(folder / kind / f"{windows.name}.yaml", text)
(folder / "kubernetes").mkdir(exist_ok=True)
for name, written in RENDERED.items():
    put_text(folder / "kubernetes" / name, written(PRODUCTION))
