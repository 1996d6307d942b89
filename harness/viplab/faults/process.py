"""Faults of the daemon: it is killed, stopped, started again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.faults.injection import InGuest
from viplab.faults.kind import Change, Effect, FaultKind, Manner, Need, Part, Sign
from viplab.faults.shell import processes, to_each
from viplab.faults.target import HostTarget, LastingHostTarget, ReturnTarget

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject


def _kill(target: HostTarget, subject: Subject, guest: Guest) -> str:
    """SIGKILL to all of them, halted first: keepalived's child would make an orderly end once its parent is gone."""
    pids = processes(subject, guest)
    return f"kill -STOP {pids}; kill -9 {pids}"


def _restart(target: HostTarget, subject: Subject, guest: Guest) -> str:
    """Stop it, wait until it is gone, and start it: whoever is started beside one that is ending ends as well."""
    gone = "for try in $(seq 500); do [ -d /proc/$pid ] || break; sleep 0.02; done; [ ! -d /proc/$pid ]"
    return f"{subject.stop_command}; {to_each(subject, guest, f'{{ {gone}; }}')}; {subject.start_command}"


def _parents(subject: Subject, guest: Guest, *, wanted: bool) -> str:
    """The processes that are no child of another of the daemon's, or those that are."""
    pids = processes(subject, guest).split()
    statuses = " ".join(f"/proc/{pid}/status" for pid in pids)
    said = guest.run(f"grep -h ^PPid: {statuses}").checked().stdout.split()[1::2]
    return " ".join(pid for pid, parent in zip(pids, said, strict=True) if (parent not in pids) == wanted)


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
        name="kill_parent",
        sentence="SIGKILL to the daemon's parent process alone.",
        words="parent process of the daemon on {host} killed",
        state="parent killed",
        target=HostTarget,
        injection=InGuest(lambda target, subject, guest: f"kill -9 {_parents(subject, guest, wanted=True)}"),
        signs=(Sign.COMMAND,),
        part=Part.DAEMON,
        needs=frozenset({Need.PARENT}),
    ),
    FaultKind(
        name="kill_child",
        sentence="SIGKILL to the daemon's child process alone, which is the one that speaks VRRP.",
        words="child process of the daemon on {host} killed",
        state="child killed",
        target=HostTarget,
        injection=InGuest(lambda target, subject, guest: f"kill -9 {_parents(subject, guest, wanted=False)}"),
        signs=(Sign.COMMAND,),
        part=Part.DAEMON,
        needs=frozenset({Need.PARENT}),
    ),
    FaultKind(
        name="freeze",
        sentence="SIGSTOP to every process of the daemon, SIGCONT when it is healed.",
        words="daemon on {host} frozen",
        healed="daemon on {host} thawed",
        state="daemon frozen",
        target=LastingHostTarget,
        injection=InGuest(
            lambda target, subject, guest: f"kill -STOP {processes(subject, guest)}",
            heal=lambda target, subject, guest: to_each(subject, guest, "kill -CONT $pid"),
        ),
        signs=(Sign.COMMAND, Sign.HEALED),
        part=Part.DAEMON,
    ),
    FaultKind(
        name="restart",
        sentence="Stop the daemon and start it again at once.",
        words="daemon on {host} restarted",
        state="daemon up",
        target=HostTarget,
        injection=InGuest(_restart),
        signs=(Sign.COMMAND, Sign.DAEMON_RUNS),
        part=Part.DAEMON,
        manner=Manner.IN_ORDER,
    ),
    FaultKind(
        name="reload",
        sentence="Have the daemon read its configuration again, unchanged.",
        words="daemon on {host} reloaded",
        state="daemon up",
        target=HostTarget,
        # As its service does: a parent tells its children, who else would begin twice.
        injection=InGuest(lambda target, subject, guest: f"kill -HUP {_parents(subject, guest, wanted=True)}"),
        signs=(Sign.COMMAND, Sign.DAEMON_RUNS),
        part=Part.DAEMON,
        needs=frozenset({Need.RELOAD}),
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
