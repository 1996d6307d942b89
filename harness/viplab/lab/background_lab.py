"""A lab that stays up until it is told to end, for a look around by hand: in the background, or as a trial left it.

A note in /run says which process tree it is; everything else is asked of the lab itself, by joining its namespaces.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from viplab.errors import InputError, Interrupted, LabError
from viplab.lab.cache import cache_dir
from viplab.lab.image import ready_image
from viplab.lab.lab import Lab
from viplab.lab.libvirt.kind import LIBVIRT
from viplab.lab.owner import Owner, born
from viplab.lab.sandbox import OUTSIDE_PID
from viplab.lab.waiting import until
from viplab.progress import step
from viplab.types import HostName

NOTE = Path("/run/viplab/lab.json")
LOG = NOTE.with_name("lab.log")
END_LIMIT_S = 30.0


@dataclass(frozen=True)
class BackgroundLab:
    """The lab that the note speaks of: its owner's process, that process's start time, the image, and the hosts."""

    pid: int
    born: str
    inside: int
    """The lab's first process, in whose namespaces all of it is."""
    image: str | None
    hosts: dict[HostName, list[str]]
    """The command that opens a shell on each host, from within those namespaces."""

    @property
    def alive(self) -> bool:
        """Whether that very process still lives."""
        return born(self.pid) == self.born


def up() -> BackgroundLab:
    """Bring a lab up in a process tree of its own and return when its guests answer.

    Raises:
        InputError: there is one already.
        LabError: it did not come up.
    """
    there = find()
    if there is not None:
        raise InputError(f"a lab is already up (process {there.pid}); `viplab down` ends it")
    from viplab.lab.libvirt import opened  # noqa: F401 - what the extra `lab` lacks is said here, not by the owner below

    image = ready_image()
    NOTE.parent.mkdir(exist_ok=True)
    ready, tell = os.pipe()
    owner = os.fork()
    if owner == 0:
        os.close(ready)
        os.setsid()
        _leave_the_terminal()
        _own(tell)
    os.close(tell)
    try:
        # One line, not all there is: every process of the lab has inherited the other end.
        with step("Bring the lab up"), os.fdopen(ready) as stream:
            said = stream.readline().strip()
    except BaseException:
        os.kill(owner, signal.SIGTERM)
        raise
    if not said.startswith("up "):
        os.waitpid(owner, 0)
        raise LabError(said or "the lab ended before it was up")
    inside, hosts = json.loads(said.removeprefix("up "))
    return _noted(BackgroundLab(owner, born(owner) or "", inside, image.name, hosts))


def stay(lab: Lab, owner: Owner) -> None:
    """Leave a lab as it is, for others to get into, until its owner is told to end; called within the lab."""
    NOTE.parent.mkdir(exist_ok=True)
    inside, hosts = _ways_in(lab)
    _noted(BackgroundLab(owner.pid, owner.born, inside, lab.origins.image, hosts))
    try:
        while True:
            signal.pause()
    except Interrupted:
        NOTE.unlink(missing_ok=True)


def find() -> BackgroundLab | None:
    """The lab that is up, if one is."""
    try:
        note = json.loads(NOTE.read_text())
        found = BackgroundLab(**note)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.alive else None


def down() -> None:
    """End the lab and wait until it is gone.

    Raises:
        InputError: there is none.
    """
    lab = _required()
    begun = born(lab.inside)
    os.kill(lab.pid, signal.SIGTERM)
    # The lab itself, and not its owner, which may have a run to judge yet.
    until("the lab to end", lambda: begun is None or born(lab.inside) != begun, within_s=END_LIMIT_S)
    for path in NOTE.parent.iterdir():
        path.unlink(missing_ok=True)


def ssh(host: str, command: list[str]) -> int:
    """Join the lab and become a shell on one of its hosts, or the command there; returns only when it cannot.

    Raises:
        InputError: no lab is up, there is no such host, or a program is missing.
    """
    lab = _required()
    if host.upper() not in lab.hosts:
        raise InputError(f"no host {host!r}; there are: {', '.join(lab.hosts)}")
    words = ["nsenter", "-t", str(lab.inside), "-n", "-m", "-p", "-u", "-i", "--", *lab.hosts[host.upper()], *command]
    for program in ("nsenter", lab.hosts[host.upper()][0]):
        if shutil.which(program) is None:
            raise InputError(f"{program}: not installed; `viplab doctor` says how to get it")
    sys.stdout.flush()
    os.execvp(words[0], words)


def leftovers() -> Iterator[Path]:
    """What a crash can leave: folders that were never finished, and the note of a lab that is gone."""
    for kind in ("images", "memory"):
        for path in sorted((cache_dir() / kind).glob(".*.new-*")):
            if not _in_use(path):
                yield path
    if NOTE.parent.is_dir() and find() is None:
        yield from sorted(NOTE.parent.iterdir())


def remove(path: Path) -> None:
    """Remove one of `leftovers`."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _leave_the_terminal() -> None:
    """From here on, what we and all that we start have to say goes to a log."""
    for descriptor, path in ((0, "/dev/null"), (1, LOG), (2, LOG)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


def _own(tell: int) -> None:
    """The owner's life: bring the lab up, say so, wait to be told to end."""

    def work(lab: Lab) -> None:
        lab.reset()
        with os.fdopen(tell, "w") as stream:
            stream.write(f"up {json.dumps(_ways_in(lab))}\n")
        while True:
            signal.pause()

    status = 0
    try:
        LIBVIRT.open(work)
    except BaseException as error:
        status = 1
        with suppress(OSError):  # closed where it was up and said so: ending is what it was told to do
            os.write(tell, str(error).encode())
    os._exit(status)


def _ways_in(lab: Lab) -> tuple[int, dict[HostName, list[str]]]:
    """The lab's first process as it is known outside, and the command for each host."""
    return int(os.environ[OUTSIDE_PID]), {name: guest.shell for name, guest in lab.hosts.items()}


def _noted(lab: BackgroundLab) -> BackgroundLab:
    NOTE.write_text(json.dumps(asdict(lab)) + "\n")
    return lab


def _required() -> BackgroundLab:
    found = find()
    if found is None:
        raise InputError("no lab is up; `viplab up` brings one up")
    return found


def _in_use(path: Path) -> bool:
    """Whether somebody is still filling this folder: its maker holds the lock of the same name."""
    lock = path.with_name(path.name.partition(".new-")[0] + ".lock")
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
