"""minorkey keeps a rare-event classifier in tune."""

from importlib.metadata import version

__version__ = version("minorkey")
