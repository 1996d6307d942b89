"""What a service has to state, and how it is started."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from viplab.addresses import HTTP_PORT
from viplab.errors import LabError
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

_PRINTED = "/run/viplab-service"
_LONGEST = 400
_LONGEST_START_S = 120


@dataclass(frozen=True)
class Started:
    """What came of a start."""

    listens: bool
    said: str
    """What it printed, on one line."""


@dataclass(frozen=True)
class Service:
    """A program that clients reach under the virtual address."""

    name: str
    """What the step `serve` calls it."""
    present: tuple[str, ...]
    """Files that a host must have beforehand."""
    packages: tuple[str, ...]
    """Packages of the distribution that bring them."""
    files: Callable[[Scenario, HostName], dict[str, str]]
    """Its configuration on one host: path to text."""
    start: str
    """Starts it and returns when it has bound its sockets; a shell command."""
    listens: str = f"[ -n \"$(ss -Hltn 'sport = :{HTTP_PORT}')\" ]"
    """Succeeds where it listens; a shell command."""
    balances: bool = False
    """Whether it passes requests on to the hosts that run no daemon."""

    def start_on(self, guest: Guest, scenario: Scenario) -> Started:
        """Configure it on a host, start it, and look whether it listens.

        Raises:
            LabError: it is not installed there.
        """
        if guest.run(" && ".join(f"[ -e {path} ]" for path in self.present)).status != 0:
            names, files = ", ".join(self.packages), ", ".join(self.present)
            raise LabError(f"{guest.host.hostname} has no {files}; its image needs the package {names}")
        for path, text in self.files(scenario, guest.host.name).items():
            guest.run(f"mkdir -p {shlex.quote(path.rpartition('/')[0])}").checked()
            guest.put(text.encode(), path)
        # Whatever it leaves running must not hold on to what the shell prints to: a command ends when nobody does.
        started = guest.run(f"{{ {self.start}; }} </dev/null >{_PRINTED} 2>&1", timeout_s=_LONGEST_START_S)
        listens = started.status == 0 and guest.run(self.listens).status == 0
        lines = guest.get(_PRINTED).decode("utf-8", "replace").splitlines()
        return Started(listens, " / ".join(filter(None, map(str.strip, lines)))[:_LONGEST])
