"""The recipe "add a fault" of CONTRIBUTING.md, followed to the letter outside the tree."""

from viplab.faults import Effect, FaultKind, HostTarget, InGuest, Part, Sign


def _halt(target, subject, guest):
    return "kill -STOP " + " ".join(map(str, subject.processes(guest)))


HALT = FaultKind(
    name="halt",
    sentence="SIGSTOP to every process of the daemon.",
    words="daemon on {host} halted",
    state="daemon halted",
    target=HostTarget,
    injection=InGuest(_halt),
    signs=(Sign.COMMAND, Sign.ADVERTS_END),
    effect=Effect.DAEMON_LOST,
    part=Part.DAEMON,
)
