"""A kind of object, listed once and watched from there, however often the connection breaks."""

import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import urllib3
from kubernetes import client

from minorkey.errors import InputError
from minorkey.trials.kubernetes.api import Gone, KubernetesApi, Refused

__all__ = ["News", "Watcher"]

Manifest = dict[str, Any]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0


@dataclass(frozen=True)
class News:
    """What a watcher has learned.

    Attributes:
        kind: ``jobs`` or ``pods``.
        change: ``LISTED``, ``ADDED``, ``MODIFIED``, ``DELETED`` or ``FAILED``.
        objects: every object there is under ``LISTED``, else the one that changed.
        error: why the watcher gave up, under ``FAILED``.
    """

    kind: str
    change: str
    objects: list[Manifest] = field(default_factory=list)
    error: InputError | None = None


class Watcher(threading.Thread):
    """Lists, then watches from the list's resourceVersion.

    A connection that ends early is resumed from the last version seen. When that version is gone (410), and
    at the end of every full watch, everything is listed again, so that nothing stays missed.

    Args:
        api: the API.
        kind: ``jobs`` or ``pods``.
        namespace: where.
        selector: label selector.
        sink: where news go.
        seconds: length of a watch.
    """

    def __init__(
        self,
        api: KubernetesApi,
        kind: str,
        namespace: str,
        selector: str,
        sink: "queue.SimpleQueue[News]",
        *,
        seconds: int = 240,
    ) -> None:
        super().__init__(name=f"watch-{kind}", daemon=True)
        self._api = api
        self._kind = kind
        self._namespace = namespace
        self._selector = selector
        self._sink = sink
        self._seconds = seconds
        self._stopped = threading.Event()
        self._shut: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """End the watch, also one that waits for an event."""
        self._stopped.set()
        self._shut()

    def run(self) -> None:
        """Watch until stopped, or until the API refuses for good."""
        try:
            while not self._stopped.is_set():
                self._watch_from(self._list())
        except Refused as refused:
            self._fail(refused.problem.error())
        except InputError as error:
            self._fail(error)

    def _list(self) -> str:
        objects, version = self._api.list(self._kind, self._namespace, labelSelector=self._selector)
        self._sink.put(News(self._kind, "LISTED", objects))
        return version

    def _watch_from(self, version: str) -> None:
        """Watch, resuming after breaks, until it is time to list again."""
        pause, logins = _FIRST_PAUSE, 0
        while not self._stopped.is_set():
            began, since = version, time.monotonic()
            try:
                for event in self._events(version):
                    version = self._take(event) or version
                if time.monotonic() - since > self._seconds / 2:
                    return
            except Gone:
                return
            except client.ApiException as error:
                logins += error.status == 401
                if error.status == 401 and logins <= 3:
                    self._api.log_in_again()
                elif error.status in (401, 403, 404):
                    raise Refused(self._api.problem(error, "watch", self._kind, self._namespace)) from error
            except (OSError, ValueError, AttributeError, urllib3.exceptions.HTTPError):
                pass
            if version != began:
                pause, logins = _FIRST_PAUSE, 0
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _events(self, version: str) -> Any:
        with self._api.watch(
            self._kind,
            self._namespace,
            version=version,
            seconds=self._seconds,
            labelSelector=self._selector,
        ) as (events, shut):
            self._shut = shut
            if self._stopped.is_set():
                return
            yield from events

    def _take(self, event: Manifest) -> str | None:
        """Pass an event on; gives its resourceVersion.

        Raises:
            Gone: the version to resume from is too old, or the API ended the watch with an error.
        """
        change, content = event["type"], event["object"]
        if change == "ERROR":
            raise Gone
        version: str | None = content.get("metadata", {}).get("resourceVersion")
        if change != "BOOKMARK":
            self._sink.put(News(self._kind, change, [content]))
        return version

    def _fail(self, error: InputError) -> None:
        if not self._stopped.is_set():
            with suppress(Exception):
                self._sink.put(News(self._kind, "FAILED", error=error))
