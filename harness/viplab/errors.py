"""What can go wrong, by whose turn it is to act.

Each message is one line that says what is wrong, where, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class ViplabError(Exception):
    """A failure that has a known cause; the command line prints it as one line and exits with `exit_status`."""

    exit_status: ClassVar[int] = 70


class InputError(ViplabError):
    """What the user gave (a scenario, a run folder, an option) is wrong."""

    exit_status = 64


class IncomparableError(InputError):
    """Two things were to be compared that cannot be: nothing was decided."""

    exit_status = 2


class HostError(ViplabError):
    """This machine lacks something: a package, root, disk, a working libvirt."""

    exit_status = 69


class LabError(ViplabError):
    """The lab did not do as told: a guest that does not boot, an SSH connection that does not answer."""

    exit_status = 70
