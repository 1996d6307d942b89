"""The append-only event stream of a trial, written as things happen; `evidence.Event` lists the kinds of event."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Listener = Callable[[dict[str, Any]], None]


class Timeline:
    """Writes events to `timeline.jsonl`, one line each, flushed at once; safe to use from several threads."""

    def __init__(self, path: Path, listeners: tuple[Listener, ...] = ()) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()
        self._listeners = listeners

    def record(self, event: str, *, t_ns: int | None = None, **keys: Any) -> None:
        """Append one event, dated now unless `t_ns` says otherwise.

        Raises:
            OSError: the disk is full. An observer's thread can do nothing about it; the one that does the steps hears
                of it at its next event.
        """
        line = {"t_ns": time.time_ns() if t_ns is None else t_ns, "event": event, **keys}
        text = json.dumps(line, separators=(",", ":"))
        with self._lock:
            try:
                self._file.write(text + "\n")
                self._file.flush()
            except OSError:
                if threading.current_thread() is threading.main_thread():
                    raise
        for listener in self._listeners:
            listener(line)

    def close(self) -> None:
        """No more events."""
        with self._lock:
            self._file.close()
