"""Print the dependencies that a pyproject.toml declares, so that an image layer can hold them alone."""

import sys
import tomllib
from pathlib import Path

print(*tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]["dependencies"], sep="\n")
