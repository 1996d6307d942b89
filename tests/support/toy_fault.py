"""A kind of fault as another package would bring it: the daemon is halted, and goes on when it is healed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import Field

from viplab.faults import FaultKind, HostTarget, InGuest, Part, Sign, register, registry

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject


class DozeTarget(HostTarget):
    """A host, and for how long."""

    duration_ms: int | None = Field(default=None, gt=0)


def _signal(name: str, subject: Subject, guest: Guest) -> str:
    return f"kill -{name} {' '.join(map(str, subject.processes(guest)))}"


DOZE = FaultKind(
    name="doze",
    sentence="SIGSTOP to every process of the daemon, SIGCONT when it is healed.",
    words="daemon on {host} dozing",
    healed="daemon on {host} awake",
    state="daemon dozing",
    target=DozeTarget,
    part=Part.DAEMON,
    injection=InGuest(
        lambda target, subject, guest: _signal("STOP", subject, guest),
        heal=lambda target, subject, guest: _signal("CONT", subject, guest),
    ),
    signs=(Sign.COMMAND, Sign.HEALED),
)


@pytest.fixture
def doze() -> Iterator[FaultKind]:
    """This kind, in the table for as long as a test runs."""
    register(DOZE)
    try:
        yield DOZE
    finally:
        registry._table.cache_clear()
