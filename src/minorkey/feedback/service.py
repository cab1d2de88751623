"""Runs the feedback service, and what the trigger asks of its database."""

import math
import threading
from datetime import UTC, datetime
from pathlib import Path

import structlog

from minorkey.endpoint.running import run_service
from minorkey.endpoint.token import BearerToken
from minorkey.feedback.app import create_app
from minorkey.feedback.intake import Intake
from minorkey.feedback.ripening import BATCH, forget, ripen
from minorkey.feedback.spec import FeedbackSpec
from minorkey.feedback.tables import MIGRATIONS, TABLES, VERSION
from minorkey.settings import settings
from minorkey.stores.sql import Books

__all__ = ["feedback_url", "labels_ready", "open_intake", "serve_feedback", "work"]

_FORGET_SECONDS = 600.0

_log = structlog.get_logger("minorkey.feedback")


def serve_feedback(spec: FeedbackSpec, *, host: str, port: int, token_file: Path | None) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        StateError: there is no token, the database cannot be used, or the address cannot be bound.
    """
    known = settings()
    named = token_file or (Path(known.feedback_token_file) if known.feedback_token_file else None)
    token = BearerToken(
        known.feedback_token,
        named,
        key="--token-file, MINORKEY_FEEDBACK_TOKEN_FILE or MINORKEY_FEEDBACK_TOKEN",
    )
    intake = open_intake(spec)
    intake.announce()
    try:
        run_service("feedback", create_app(intake, token), host, port, lambda stop: work(intake, stop))
    finally:
        intake.books.close()


def work(intake: Intake, stop: threading.Event) -> None:
    """Count what is mature and remove what is old until `stop`; what fails is told once and tried again."""
    complaint, since = "", _FORGET_SECONDS
    while not stop.is_set():
        try:
            while ripen(intake) >= BATCH and not stop.is_set():
                pass
            if since >= _FORGET_SECONDS:
                forget(intake)
                since = 0.0
            complaint = ""
        except Exception as error:
            if str(error) != complaint:
                complaint = str(error)
                _log.error("work_failed", error=complaint)
        stop.wait(intake.spec.poll_seconds)
        since += intake.spec.poll_seconds


def open_intake(spec: FeedbackSpec) -> Intake:
    """The intake of this process's database.

    Raises:
        StateError: it cannot be used.
    """
    return Intake(feedback_url(), spec)


def feedback_url() -> str:
    """Where the feedback database is."""
    return settings().database_url or f"sqlite:///{settings().home / 'feedback.db'}"


def labels_ready(model: str, least: int, *, since: float | None = None) -> tuple[bool | None, str]:
    """Whether a model has enough mature positives for a retune to learn from.

    Args:
        model: name of the model.
        least: fewest positives.
        since: count only rows that were scored after this moment, seconds since 1970, whatever version scored
            them; None: every row that is kept, also what the champion was trained on.

    Raises:
        StateError: the database does not answer.
    """
    url = feedback_url()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return None, "unknown: there is no feedback database"
    books = Books(url, "feedback", TABLES, VERSION, MIGRATIONS)
    try:
        with books.transaction(alone=False) as made:
            ((number,),) = made.rows(
                "SELECT count(*) FROM minorkey_feedback_rows WHERE model = %s AND outcome = 1 AND time > %s",
                model,
                -math.inf if since is None else since,
            )
    finally:
        books.close()
    after = "" if since is None else f" of rows after {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC"
    return number >= least, f"{number:,} mature positives{after}; {least:,} are wanted"
