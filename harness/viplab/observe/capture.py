"""tcpdump on the host's bridges: nanosecond stamps, capturing before the first step, drops read at the end."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path
from types import TracebackType

from viplab.errors import LabError
from viplab.lab.waiting import limit_s
from viplab.observe.precedence import give_precedence
from viplab.observe.timeline import Timeline

BUFFER_KIB = 8192
SNAP_BYTES = 2048
"""More than a frame can have here, and little enough that the buffer holds thousands of them."""
STOP_LIMIT_S = 10
_COUNT = re.compile(r"(\d+) packets? (captured|received by filter|dropped by kernel|dropped by interface)")


class Capture:
    """One tcpdump; a context manager that is capturing when it is entered."""

    def __init__(self, interface: str, network: str, path: Path, timeline: Timeline, pattern: str = "") -> None:
        self._interface = interface
        self._network = network
        self._path = path
        self._timeline = timeline
        self._pattern = pattern

    def __enter__(self) -> Capture:
        command = ["tcpdump", "-n", "-U", "-Z", "root", "-i", self._interface, "-B", str(BUFFER_KIB)]
        # Frame by frame: the kernel would else hold them back for up to a second, and those of the last one be lost.
        command += ["--immediate-mode", "-s", str(SNAP_BYTES), "--time-stamp-precision=nano", "-w", str(self._path)]
        if self._pattern:
            command.append(self._pattern)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        give_precedence(self._process.pid)
        assert self._process.stderr is not None
        # tcpdump says "listening on" once the socket is bound and the filter is in force.
        said = ""
        for line in self._process.stderr:
            said += line
            if "listening on" in line:
                break
        else:
            last = said.strip().splitlines()[-1] if said.strip() else "it printed nothing"
            raise LabError(f"tcpdump on {self._interface} does not start: {last}")
        self._timeline.record("capture_started", network=self._network, snap_bytes=SNAP_BYTES, buffer_kib=BUFFER_KIB)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            _, said = self._process.communicate(timeout=limit_s(STOP_LIMIT_S))
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, said = self._process.communicate()
        counts = {what: int(number) for number, what in _COUNT.findall(said)}
        dropped = [counts.get(f"dropped by {who}") for who in ("kernel", "interface")]
        self._timeline.record(
            "capture_stopped",
            network=self._network,
            packets=counts.get("captured"),
            dropped=None if dropped[0] is None else sum(number or 0 for number in dropped),
        )
