"""The daemon's side of scripts: it sends requests to the runner and takes in answers, and does not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vipd.config.model import Command, Script, TrackProcess
from vipd.kernel import process_count, script_runner
from vipd.kernel.accounts import Account, AccountError, account, unsafe
from vipd.kernel.syslog import Syslog

_GRACE_S = 5.0
_NOTIFY_NS = 60_000_000_000  # a notify script that hangs must not keep those after it waiting for ever
_WHY = {
    script_runner.FAILED: "could not be run, or was killed",
    script_runner.NOT_RUN: "could not be run",
    script_runner.TIMED_OUT: "timed out",
    script_runner.REFUSED: "can be changed by another than root, or is not there",
}


class Scripts:
    """The connection to the script runner."""

    def __init__(self, channel: script_runner.Channel, log: Syslog, unwatch: Callable[[int], None]) -> None:
        """Ask for nothing yet; `unwatch` ends the watch of a descriptor, once there is nobody to run scripts."""
        self._channel = channel
        self._log = log
        self._unwatch = unwatch
        self._gone = False
        self._number = 0
        self._asked: dict[int, Callable[[int], None]] = {}
        self._processes: dict[int, Callable[[int], None]] = {}
        self._census: list[tuple[int, process_count.Which]] = []
        self._user: str | None = None
        self._group: str | None = None
        self._accounts: dict[tuple[str | None, str | None], Account | None] = {}

    def fileno(self) -> int:
        """Readable when the runner has answered."""
        return self._channel.fileno()

    def default(self, user: str | None = None, group: str | None = None) -> None:
        """Set the user and group of scripts that name none (`script_user`)."""
        self._user, self._group = user, group
        self._accounts.clear()

    def look_up(self, commands: Iterable[Command]) -> None:
        """Look up whom these run as: a directory of users in the network may take its time, and a takeover has none."""
        for command in commands:
            self._account(command)

    def read(self) -> None:
        """Take in the answers of the runner."""
        try:
            while (answered := self._channel.answer()) is not None:
                kind, (number, value) = answered
                if kind == "restarted":
                    self._log.failure("the process that runs scripts was killed; there is another one")
                    self._none_will_answer()
                    self._sent(script_runner.census(self._census))
                else:
                    callback = self._asked.pop(number, None) if kind == "ended" else self._processes.get(number)
                    if callback is not None:
                        callback(value)
        except EOFError:
            self._gone = True
            self._unwatch(self._channel.fileno())
            self._log.line("the process that runs scripts was killed; no script will be run until vipd is restarted")
            self._none_will_answer()

    def run(self, command: Command, timeout_ns: int, queue: str, ended: Callable[[int], None]) -> None:
        """Run a command; `ended` is called with its exit status, or with one of the runner's own answers."""
        who = self._account(command)
        if who is None:
            ended(script_runner.FAILED)
            return
        if self._gone:
            ended(script_runner.NOT_RUN)
            return
        self._number += 1
        self._asked[self._number] = ended
        if not self._sent(script_runner.request(self._number, command.argv, who, timeout_ns, queue)):
            del self._asked[self._number]
            ended(script_runner.NOT_RUN)

    def wait(self, command: Command, timeout_ns: int) -> int:
        """Run a command and wait for it, as at start and end, when there is nothing else to do."""
        finished: list[int] = []
        self.run(command, timeout_ns, "", finished.append)
        while not finished and self._channel.wait(timeout_ns / 1e9 + _GRACE_S):
            self.read()
        status = finished[0] if finished else script_runner.FAILED
        if status:
            self._log.line(f"{command.argv[0]} {_WHY.get(status, f'exited with status {status}')}")
        return status

    def notify(self, command: Command, more: tuple[str, ...], queue: str) -> None:
        """Run a notify script after the earlier ones of its queue, without waiting for it."""
        command = command._replace(argv=command.argv + more)
        path = command.argv[0]

        def ended(status: int) -> None:
            if status and not self._gone:
                self._log.failure(f"notify script {path} {_WHY.get(status, f'exited with status {status}')}")

        self.run(command, _NOTIFY_NS, f"{script_runner.NOTIFY}{queue}", ended)

    def count(self, wanted: list[tuple[TrackProcess, Callable[[int], None]]]) -> None:
        """Have the runner count processes; each function is called with the count when that changes."""
        self._processes.clear()
        self._census.clear()
        for one, answered in wanted:
            self._number += 1  # never one of before: a count that is on its way is of what was tracked then
            self._processes[self._number] = answered
            self._census.append((self._number, one.which))
        if not self._gone:
            self._sent(script_runner.census(self._census))

    def complaint(self, command: Command) -> str | None:
        """The reason why a command cannot be run; None if it can."""
        try:
            account(command.user or self._user, command.group or self._group)
        except AccountError as error:
            return str(error)
        return unsafe(command.argv[0])

    def _none_will_answer(self) -> None:
        asked, self._asked = self._asked, {}
        for ended in asked.values():
            ended(script_runner.NOT_RUN)

    def _account(self, command: Command) -> Account | None:
        key = command.user, command.group
        if key not in self._accounts:
            try:
                user, group = (self._user, self._group) if command.user is None else key
                self._accounts[key] = account(user, group)
            except AccountError as error:
                self._log.line(f"{command.argv[0]} cannot be run: {error}")
                self._accounts[key] = None
        return self._accounts[key]

    def _sent(self, message: bytes) -> bool:
        try:
            self._channel.ask(message)
        except OSError as error:
            self._log.failure(f"the process that runs scripts does not answer: {error.strerror}")
            return False
        return True


class Check:
    """One `vrrp_script`, run every interval; `changed` is called with whether it is good."""

    def __init__(self, config: Script, scripts: Scripts, log: Syslog, changed: Callable[[bool], None]) -> None:
        self.config = config
        self.good = not config.init_fail
        self.ended: Callable[[], None] = lambda: None
        self._scripts = scripts
        self._log = log
        self._changed = changed
        self._next_ns: int | None = 0
        self._running = False
        self._started_ns = 0
        self._fresh = not config.init_fail
        self._result = config.rise + config.fall - 1 if self.good else 0

    def resume_from(self, old: Check) -> None:
        """Believe what another configuration of this script has found: a reload alone makes nothing good or bad."""
        self.good, self._fresh = old.good, old._fresh
        if not self._fresh:
            self._result = self.config.rise + self.config.fall - 1 if self.good else 0

    def deadline(self) -> int | None:
        """When it is run next; it is never run twice at a time."""
        return None if self._running else self._next_ns

    def handle_deadline(self, now: int) -> None:
        """Run it."""
        if self._running or self._next_ns is None or now < self._next_ns:
            return
        self._running = True
        self._next_ns = max(now, self._next_ns or now) + self.config.interval_ns
        # In a queue of its own: the next does not start beside one that took too long and is slow to end.
        timeout_ns = self.config.timeout_ns or self.config.interval_ns
        self._scripts.run(self.config.command, timeout_ns, f"script {self.config.name}", self._ended)

    def stop(self) -> None:
        """Stop running it."""
        self._next_ns = None
        self._changed = lambda good: None

    def _ended(self, status: int) -> None:
        self._running = False
        if status == script_runner.NOT_RUN:  # which says nothing about what the script would find
            self.ended()
            return
        rise, fall, good = self.config.rise, self.config.fall, status == 0
        # keepalived counts the first result at once, whatever rise and fall say.
        if self._fresh:
            self._result = rise + fall - 1 if good else 0
        elif good:
            self._result = rise + fall - 1 if self._result + 1 >= rise else self._result + 1
        else:
            self._result = self._result - 1 if self._result - 1 >= rise else 0
        before, self.good = (None if self._fresh else self.good), self._result >= rise
        self._fresh = False
        if before is not self.good:
            why = "succeeded" if self.good else _WHY.get(status, f"failed (exited with status {status})")
            self._log.line(f"VRRP_Script({self.config.name}) {why}")
            self._changed(self.good)
        self.ended()
