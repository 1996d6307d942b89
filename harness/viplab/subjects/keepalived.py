"""The distribution's keepalived, as its package installs it."""

from __future__ import annotations

from viplab.errors import LabError
from viplab.lab.guest import Guest
from viplab.types import Family


class Keepalived:
    """keepalived 2.x; it is part of the guest image."""

    name = "keepalived"
    profile = "keepalived-2"
    family: Family = "keepalived-2"
    present: tuple[str, ...] = ("/usr/sbin/keepalived", "/etc/init.d/keepalived")
    start_command = "/etc/init.d/keepalived start >/dev/null"
    stop_command = "/etc/init.d/keepalived stop >/dev/null"

    def install(self, guest: Guest) -> None:
        """Have it log as the article's did (-D: details)."""
        guest.put(b'DAEMON_ARGS="-D"\n', "/etc/default/keepalived")

    def version(self, guest: Guest) -> str:
        """The first line of `keepalived --version`, such as `Keepalived v2.2.7 (01/16,2022)`."""
        result = guest.run("keepalived --version 2>&1").checked()
        return result.stdout.splitlines()[0].strip()

    def processes(self, guest: Guest) -> list[int]:
        """Parent and children."""
        pids = guest.run("pidof keepalived").stdout.split()
        if not pids:
            raise LabError(f"keepalived does not run on {guest.host.hostname}; its log is in the trial's folder")
        return [int(pid) for pid in pids]
