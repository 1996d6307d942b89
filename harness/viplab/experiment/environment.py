"""What spoils numbers, watched while a trial runs: STP, load, hosts that wait, stolen time, drops, a stepped clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from viplab.lab.guest import Guest
from viplab.lab.run_delay import stalled_ns
from viplab.observe.clocks import record_host_clocks
from viplab.observe.ticks import busy_share, since, steal_share, ticks
from viplab.observe.timeline import Timeline
from viplab.types import HostName

EVERY_S = 0.5
FULL_SHARE = 0.95
_COUNTERS = ("rx_packets", "rx_dropped", "rx_errors", "tx_packets", "tx_dropped", "tx_errors")


class Environment:
    """Watches from the start of a trial to its end; a context manager."""

    def __init__(self, bridges: tuple[str, ...], hosts: Mapping[HostName, Guest], timeline: Timeline) -> None:
        self._bridges = bridges
        self._hosts = hosts
        self._timeline = timeline
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="environment", daemon=True)
        self._full_s = self._longest_s = 0.0

    def __enter__(self) -> Environment:
        self._before, self._stp = ticks(), self._spanning_tree()
        self._timeline.record("interfaces", when="before", counters=counters(self._bridges))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._timeline.record("interfaces", when="after", counters=counters(self._bridges))
        settings = [Path("/sys/class/net") / name / "bridge" for name in self._bridges]
        spent = since(self._before)
        self._timeline.record(
            "environment",
            stp=self._spanning_tree(),
            stp_before=self._stp,
            # In hundredths of a second, as the bridge gives it.
            forward_delay_s=max(int((path / "forward_delay").read_text()) for path in settings) / 100,
            steal_share=round(steal_share(spent), 4),
            busy_share=round(busy_share(spent), 4),
            longest_full_s=round(self._longest_s, 1),
            load1=float(Path("/proc/loadavg").read_text().split()[0]),
        )

    def _spanning_tree(self) -> bool:
        states = (Path("/sys/class/net") / name / "bridge" / "stp_state" for name in self._bridges)
        return any(state.read_text().strip() != "0" for state in states)

    def _record_run_delay(self) -> None:
        waited = {name: guest.run_delay_ns() for name, guest in self._hosts.items() if guest.running}
        self._timeline.record("run_delay", hosts=waited, anybody=stalled_ns())

    def _watch(self) -> None:
        before, began = ticks(), time.monotonic()
        while not self._ended.wait(EVERY_S):
            now = time.monotonic()
            record_host_clocks(self._timeline)  # a step that is taken back before the end counts, too
            self._record_run_delay()
            self._full_s = self._full_s + now - began if busy_share(since(before)) >= FULL_SHARE else 0.0
            self._longest_s = max(self._longest_s, self._full_s)
            before, began = ticks(), now


def counters(bridges: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """What the kernel counted on each bridge and on each of its ports."""
    names = [*bridges, *(port.name for bridge in bridges for port in Path(f"/sys/class/net/{bridge}/brif").iterdir())]
    return {
        name: {word: int(Path(f"/sys/class/net/{name}/statistics/{word}").read_text()) for word in _COUNTERS}
        for name in sorted(names)
        if Path(f"/sys/class/net/{name}").exists()
    }
