"""``python -m minorkey.drift.rules FOLDER``: write every rendering below a folder."""

import argparse
from pathlib import Path

from minorkey.drift.rules import KINDS, LOOP, PRODUCTION, render

parser = argparse.ArgumentParser(prog="minorkey.drift.rules")
parser.add_argument("folder", type=Path)
folder: Path = parser.parse_args().folder
for kind in KINDS:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for windows in (PRODUCTION, LOOP):
        (folder / kind / f"{windows.name}.yaml").write_text(render(kind, windows), encoding="utf-8")
