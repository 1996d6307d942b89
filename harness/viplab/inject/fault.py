"""Injects one fault: arms it, waits for its place in the advert interval, lets it go, records the bracket."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from viplab.errors import LabError
from viplab.lab.guest import Guest
from viplab.observe.timeline import Timeline
from viplab.subjects.subject import Subject


@dataclass(frozen=True)
class Fault:
    """A kind of fault on one host.

    `interface` is for the kinds that cut a link; `place` is where in the advert interval it is to strike, if anywhere.
    """

    kind: str
    interface: str = "eth1"
    place: float | None = None


def inject(
    fault: Fault, guest: Guest, subject: Subject, timeline: Timeline, phase: str, moment: Callable[[], None]
) -> None:
    """Do `fault` to `guest` at the moment for which `moment` waits, and record when that was.

    Raises:
        LabError: the guest refused; nothing has happened to it then.
    """
    if fault.kind == "power_cut":
        marker = None
        moment()
        fired = guest.power_cut()
    else:
        marker = f"viplab:{fault.kind}:{guest.host.name}:{time.time_ns()}"
        armed = guest.arm(_command(fault, guest, subject), marker)
        moment()
        fired = armed.fire()
        if fired.status != 0 and fault.kind != "shutdown":
            raise LabError(
                f"{fault.kind} on {guest.host.hostname} failed with status {fired.status}; nothing was measured"
            )
    timeline.record(
        "fault_injected",
        t_ns=fired.before_ns,
        kind=fault.kind,
        host=guest.host.name,
        before_ns=fired.before_ns,
        after_ns=fired.after_ns,
        marker=marker,
        phase=phase,
        place=fault.place,
    )


def _command(fault: Fault, guest: Guest, subject: Subject) -> str:
    commands: dict[str, Callable[[], str]] = {
        "kill": lambda: _killed(subject.processes(guest)),
        "stop": lambda: subject.stop_command,
        "bring_back": lambda: subject.start_command,
        "link_down": lambda: f"ifconfig {fault.interface} down",
        "link_up": lambda: f"ifconfig {fault.interface} up",
        # Answered before the connection goes: the order to shut down is the fault, not its end.
        "shutdown": lambda: guest.shutdown_command,
    }
    return commands[fault.kind]()


def _killed(processes: list[int]) -> str:
    """SIGKILL to all of them, halted first: keepalived's child would make an orderly end once its parent is gone."""
    listed = " ".join(map(str, processes))
    return f"kill -STOP {listed}; kill -9 {listed}"
