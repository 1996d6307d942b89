"""The trackers of scripts, files, processes, and interfaces with up and down delays."""

from __future__ import annotations

from collections.abc import Callable

from vipd.config.model import Config, TrackProcess
from vipd.daemon.schedule import Schedule
from vipd.daemon.scripts import Check, Scripts
from vipd.daemon.track_files import TrackedFiles
from vipd.kernel import process_count
from vipd.kernel.syslog import Syslog


class Trackers:
    """Keeps the values of tracked objects, and reports when one changes.

    Attributes:
        values: see `vipd.protocol.effective_priority.Values`.
    """

    def __init__(
        self,
        scripts: Scripts,
        schedule: Schedule,
        log: Syslog,
        changed: Callable[[str, str], None],
        now: Callable[[], int],
    ) -> None:
        self.values: dict[tuple[str, str], int] = {}
        self.files: TrackedFiles | None = None
        self._scripts = scripts
        self._schedule = schedule
        self._log = log
        self._changed = changed
        self._now = now
        self._checks: dict[str, Check] = {}
        self._delays: dict[str, _Delay] = {}
        self._processes: dict[str, _Processes] = {}

    def apply(self, config: Config) -> None:
        """Track what this configuration tracks; what was tracked before under the same name keeps its state."""
        tracked = {(track.kind, track.name) for router in config.routers for track in router.tracks}
        wanted = {script.name: script for script in config.scripts if ("script", script.name) in tracked}
        known: dict[str, Check] = {}
        for name, check in [*self._checks.items()]:
            if wanted.get(name) != check.config:
                check.stop()
                known[name] = check
                self._schedule.remove(self._checks.pop(name))
                self.values.pop(("script", name), None)
        for name, script in wanted.items():
            if name not in self._checks:
                complaint = self._scripts.complaint(script.command)
                if complaint:
                    self._log.line(f"VRRP_Script({name}) will not be run: {complaint}")
                check = Check(script, self._scripts, self._log, self._changed_by("script", name))
                check.ended = self._updater(check)
                if name in known:
                    check.resume_from(known[name])
                self._checks[name] = check
                self.values["script", name] = int(check.good)
                self._schedule.update(check)
        processes = [process for process in config.processes if ("process", process.name) in tracked]
        if processes or self._processes:
            counted = self._processes
            self._processes = {
                process.name: _Processes(process, self._changed_by("process", process.name), self._now, self._schedule)
                for process in processes
            }
            for name, old in counted.items():
                self._schedule.remove(old)
                if name in self._processes:
                    self._processes[name].resume_from(old)
            # How many run from now on the runner says; a priority must not be told before the first count is known.
            first = [one for name, one in self._processes.items() if name not in counted]
            for one, count in zip(first, process_count.counts([one.config.which for one in first])):
                one.counted(count)
            self._scripts.count([(one.config, one.counted) for one in self._processes.values()])
        watched, self.files = self.files, None
        if watched is not None:
            self._schedule.remove(watched)
            watched.close()
        files = tuple(file for file in config.files if ("file", file.name) in tracked)
        if files:
            self.files = TrackedFiles(files, self._log, lambda name, value: self._set("file", name, value), watched)
            self.files.update()
            self._schedule.update(self.files)
        delays = self._delays
        self._delays = {
            name: _Delay(down_ns, up_ns, self._changed_by("interface", name)) for name, down_ns, up_ns in config.delays
        }
        for name, delay in delays.items():
            self._schedule.remove(delay)
            if name in self._delays:
                self._delays[name].resume_from(delay)
                self._schedule.update(self._delays[name])

    def link(self, name: str, up: bool, now: int) -> bool:
        """Whether an interface counts as up that the kernel reports to be `up` or not (interface_up_down_delays)."""
        delay = self._delays.get(name)
        if delay is None:
            return up
        believed = delay.reported(up, now)
        self._schedule.update(delay)
        return believed

    def _set(self, kind: str, name: str, value: int) -> None:
        self.values[kind, name] = value
        self._changed(kind, name)

    def _changed_by(self, kind: str, name: str) -> Callable[[bool], None]:
        return lambda good: self._set(kind, name, int(good))

    def _updater(self, check: Check) -> Callable[[], None]:
        return lambda: self._schedule.update(check)


class _Delay:
    """An interface whose change counts only after a delay."""

    def __init__(self, down_ns: int, up_ns: int, changed: Callable[[bool], None]) -> None:
        self._wait_ns = {False: down_ns, True: up_ns}
        self._changed = changed
        self._believed: bool | None = None
        self._reported = False
        self._due_ns: int | None = None

    def resume_from(self, old: _Delay) -> None:
        self._believed, self._reported, self._due_ns = old._believed, old._reported, old._due_ns

    def reported(self, up: bool, now: int) -> bool:
        if self._believed is None:
            self._believed = up
        elif up == self._believed:
            self._due_ns = None
        elif self._due_ns is None or up != self._reported:
            self._due_ns = now + self._wait_ns[up]
            if not self._wait_ns[up]:
                self._believed, self._due_ns = up, None
        self._reported = up
        return self._believed

    def deadline(self) -> int | None:
        return self._due_ns

    def handle_deadline(self, now: int) -> None:
        if self._due_ns is not None and now >= self._due_ns:
            self._due_ns, self._believed = None, self._reported
            self._changed(self._reported)


class _Processes:
    """One `vrrp_track_process`: whether as many run as should, for long enough."""

    def __init__(
        self, config: TrackProcess, changed: Callable[[bool], None], now: Callable[[], int], schedule: Schedule
    ) -> None:
        self.config = config
        self._changed = changed
        self._now = now
        self._schedule = schedule
        self._good: bool | None = None
        self._coming = False
        self._due_ns: int | None = None

    def resume_from(self, old: _Processes) -> None:
        self._good, self._coming, self._due_ns = old._good, old._coming, old._due_ns
        self._schedule.update(self)

    def counted(self, count: int) -> None:
        config = self.config
        enough = config.quorum <= count if config.quorum_max is None else count <= config.quorum_max
        if config.quorum_max is not None and config.quorum_max >= config.quorum:
            enough = config.quorum <= count <= config.quorum_max
        delay_ns = config.fork_delay_ns if enough else config.terminate_delay_ns
        if self._good is None or (enough != self._good and not delay_ns):
            self._settle(enough)
        elif enough == self._good:
            self._due_ns = None
        elif self._due_ns is None or enough != self._coming:
            self._coming, self._due_ns = enough, self._now() + delay_ns
            self._schedule.update(self)

    def deadline(self) -> int | None:
        return self._due_ns

    def handle_deadline(self, now: int) -> None:
        if self._due_ns is not None and now >= self._due_ns:
            self._settle(self._coming)

    def _settle(self, good: bool) -> None:
        self._good, self._due_ns = good, None
        self._changed(good)
