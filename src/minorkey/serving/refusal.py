"""How the predictor says no to a request."""

from minorkey.errors import MinorkeyError

__all__ = ["Refusal"]


class Refusal(MinorkeyError):
    """A request that cannot be answered, and why.

    Args:
        reason: what was expected and what came; the body of the answer.
        status: HTTP status of the answer.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
