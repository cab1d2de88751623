"""Names from the data as values of labels."""

__all__ = ["label_text"]


def label_text(name: str) -> str:
    """The name, with what UTF-8 cannot hold (lone surrogates) written as an escape."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
