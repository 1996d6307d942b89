"""The article's own instrument: the real `ping VIP`, once a second, with its transcript kept as it was printed."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from viplab.lab.waiting import limit_s
from viplab.observe.precedence import give_precedence
from viplab.observe.timeline import Timeline


class Ping:
    """A running ping; `stop` lets it print its statistics."""

    def __init__(self, target: str, transcript: Path, timeline: Timeline) -> None:
        self._target = target
        self._timeline = timeline
        self._out = transcript.open("wb")
        timeline.record("ping_started", target=target)
        self._process = subprocess.Popen(
            ["ping", "-n", target],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C"},
        )
        give_precedence(self._process.pid)

    def stop(self) -> None:
        """End it as the article did, with Ctrl-C."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=limit_s(10))
        self._out.close()
        self._timeline.record("ping_stopped", target=self._target)
