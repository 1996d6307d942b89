"""What can go wrong, by whose turn it is to act, and what the command line's exit statuses mean.

Each message is one line that says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What `viplab` says to whoever called it; from 64 on as in sysexits.h, 128 plus the signal where one ended it."""

    OK = 0
    """Every claim is reproduced, or its difference explained; of a comparison: the same or better."""
    FAILED = 1
    """A claim or a trial failed."""
    UNDECIDED = 2
    """The measurement does not tell."""
    WORSE = 3
    """Of a comparison: the new one is worse."""
    USAGE = 64
    """A wrong call, or a file that is not what it should be."""
    UNAVAILABLE = 69
    """This machine lacks something."""
    INTERNAL = 70
    """Something of viplab or its lab did not work."""
    INTERRUPTED = 130
    """Ctrl-C, or a signal that asks to end."""


class UndecidedAs(StrEnum):
    """What a measurement that does not tell counts as, for whoever takes two answers only."""

    PASS = "pass"
    FAIL = "fail"

    @property
    def exit_status(self) -> ExitStatus:
        """The one that then stands for `UNDECIDED`."""
        return ExitStatus.OK if self is UndecidedAs.PASS else ExitStatus.FAILED


class OnFailure(StrEnum):
    """How somebody may look around in the lab where a trial failed."""

    SHELL = "shell"
    """In a shell, after which the run goes on."""
    KEEP = "keep"
    """In a lab that stays until it is told to end, and the run with it."""


class ViplabError(Exception):
    """A failure that has a known cause; the command line prints it as one line and exits with `exit_status`."""

    exit_status: ClassVar[ExitStatus] = ExitStatus.INTERNAL


class InputError(ViplabError):
    """What the user gave (a scenario, a run folder, an option) is wrong."""

    exit_status = ExitStatus.USAGE


class NotSupportedError(InputError):
    """A daemon or a lab cannot do what a scenario asks for; that is no fault of theirs, and nothing is measured."""


class IncomparableError(InputError):
    """Two things were to be compared that cannot be: nothing was decided."""

    exit_status = ExitStatus.UNDECIDED


class HostError(ViplabError):
    """This machine lacks something: a package, root, disk, a working libvirt."""

    exit_status = ExitStatus.UNAVAILABLE


class LabError(ViplabError):
    """The lab did not do as told: a guest that does not boot, an SSH connection that does not answer."""

    exit_status = ExitStatus.INTERNAL


class DaemonError(LabError):
    """The daemon under test does not run where it should: no mishap of the bench, but what was measured."""


class Interrupted(BaseException):
    """Somebody asked the lab to stop (Ctrl-C, SIGTERM, SIGHUP); not an Exception, lest it be caught by accident."""
