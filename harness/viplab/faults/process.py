"""Faults of the daemon: it is killed, stopped, started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.faults.injection import InGuest
from viplab.faults.kind import Change, Effect, FaultKind, Manner, Part, Sign
from viplab.faults.target import HostTarget, ReturnTarget

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject


def _kill(target: HostTarget, subject: Subject, guest: Guest) -> str:
    """SIGKILL to all of them, halted first: keepalived's child would make an orderly end once its parent is gone."""
    processes = " ".join(map(str, subject.processes(guest)))
    return f"kill -STOP {processes}; kill -9 {processes}"


KINDS = (
    FaultKind(
        name="kill",
        sentence="SIGKILL to every process of the daemon.",
        words="daemon on {host} killed",
        state="daemon killed",
        target=HostTarget,
        injection=InGuest(_kill),
        signs=(Sign.COMMAND, Sign.DAEMON_GONE, Sign.ADVERTS_END),
        effect=Effect.DAEMON_LOST,
        part=Part.DAEMON,
        change=Change.ENDS,
    ),
    FaultKind(
        name="stop",
        sentence="Stop the daemon as its init script does.",
        words="daemon on {host} stopped",
        state="daemon stopped",
        target=HostTarget,
        injection=InGuest(lambda target, subject, guest: subject.stop_command),
        signs=(Sign.COMMAND, Sign.DAEMON_GONE, Sign.ADVERTS_END),
        effect=Effect.GIVES_UP,
        part=Part.DAEMON,
        change=Change.ENDS,
        manner=Manner.IN_ORDER,
    ),
    FaultKind(
        name="bring_back",
        sentence="Start the daemon on a host whose return is the fault being measured.",
        words="daemon on {host} started",
        state="daemon up",
        target=ReturnTarget,
        injection=InGuest(lambda target, subject, guest: subject.start_command),
        signs=(Sign.COMMAND, Sign.DAEMON_RUNS),
        effect=Effect.RETURNS,
        part=Part.DAEMON,
        change=Change.BEGINS,
    ),
)
