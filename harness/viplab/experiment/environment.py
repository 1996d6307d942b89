"""What spoils numbers, read from the host: STP on the bridges, load, processor time that somebody else took."""

from __future__ import annotations

from pathlib import Path

from viplab.observe.timeline import Timeline


class Environment:
    """Reads at the start of a trial, and records the difference at its end."""

    def __init__(self, bridges: tuple[str, ...]) -> None:
        self._bridges = bridges
        self._before = _ticks()

    def record(self, timeline: Timeline) -> None:
        """Append the `environment` event."""
        settings = [Path("/sys/class/net") / name / "bridge" for name in self._bridges]
        spent = [after - before for before, after in zip(self._before, _ticks(), strict=True)]
        timeline.record(
            "environment",
            stp=any((path / "stp_state").read_text().strip() != "0" for path in settings),
            # In hundredths of a second, as the bridge gives it.
            forward_delay_s=max(int((path / "forward_delay").read_text()) for path in settings) / 100,
            steal_share=round(spent[7] / max(1, sum(spent)), 4),
            load1=float(Path("/proc/loadavg").read_text().split()[0]),
        )


def _ticks() -> list[int]:
    """The first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal."""
    return [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
