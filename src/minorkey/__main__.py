"""``python -m minorkey`` is the command ``minorkey``."""

from minorkey.cli import main

main()
