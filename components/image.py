"""The image that every component runs in."""

__all__ = ["IMAGE"]

#: Placeholder that ``minorkey compile --image`` replaces; local runs in a process never look at it.
IMAGE = "localhost/minorkey-pipeline:python3.11"
