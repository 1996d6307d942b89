"""The distribution's keepalived, as its package installs it, and the families that keepalived has belonged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.errors import LabError
from viplab.subjects.family import Family
from viplab.subjects.keepalived_conf import PATH, keepalived_conf
from viplab.subjects.subject import Subject
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

KEEPALIVED_1 = Family(
    "keepalived-1.2.2", log_prefix=r"VRRP_Instance\([^)]*\) ", master_line="Transition to MASTER STATE"
)
KEEPALIVED_2 = Family("keepalived-2", log_prefix=r"\([^)]*\) ", master_line="Entering MASTER STATE")


class Keepalived(Subject):
    """keepalived 2.x; it is part of the guest image."""

    name = "keepalived"
    profiles = (KEEPALIVED_2,)
    present = ("/usr/sbin/keepalived", "/etc/init.d/keepalived")
    packages = ("keepalived",)
    start_command = "/etc/init.d/keepalived start >/dev/null"
    stop_command = "/etc/init.d/keepalived stop >/dev/null"

    def install(self, guest: Guest) -> None:
        """Have it log as the article's did (-D: details)."""
        guest.put(b'DAEMON_ARGS="-D"\n', "/etc/default/keepalived")

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """Its keepalived.conf."""
        return {PATH: keepalived_conf(scenario, host)}

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
