"""The distribution's keepalived, as its package installs it, and the families that keepalived has belonged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.faults import Effect
from viplab.subjects.family import NONE, Family, Terms, TimingModel
from viplab.subjects.keepalived_conf import KEYWORDS, PATH, keepalived_conf
from viplab.subjects.subject import Subject
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

# No priority-0 advert of keepalived 1.2.2 leaves the host, and it spends one advert interval between "Transition to"
# and "Entering MASTER STATE" without the address; 2.x differs in both. SIGKILL runs no clean-up: the address stays and
# goes on answering.
KEEPALIVED_1 = Family(
    "keepalived-1.2.2",
    TimingModel(
        outage={
            Effect.DAEMON_LOST: NONE,
            Effect.GIVES_UP: Terms(skews=1, adverts=1),
            Effect.HOST_LOST: Terms(downs=1, adverts=1, less_x=True),
            Effect.RETURNS: Terms(adverts=1),
        },
        releases=False,
        announce_adverts=1,
        # It claims at the next advert that it hears.
        return_detection=Terms(adverts=1, less_x=True),
    ),
    log_prefix=r"VRRP_Instance\([^)]*\) ",
    garp_bursts=2,
    master_line="Transition to MASTER STATE",
    elects_at_start=True,
)
KEEPALIVED_2 = Family(
    "keepalived-2",
    TimingModel(
        outage={
            Effect.DAEMON_LOST: NONE,
            Effect.GIVES_UP: Terms(skews=1),
            Effect.HOST_LOST: Terms(downs=1, less_x=True),
            Effect.RETURNS: NONE,
        }
    ),
    log_prefix=r"\([^)]*\) ",
    garp_bursts=2,
    master_line="Entering MASTER STATE",
    release_heard="Backup received priority 0 advertisement",
)


class Keepalived(Subject):
    """keepalived 2.x; it is part of the guest image."""

    name = "keepalived"
    profiles = (KEEPALIVED_2,)
    present = ("/usr/sbin/keepalived", "/etc/init.d/keepalived")
    packages = ("keepalived",)
    has_parent = True
    reloads = True
    keywords = KEYWORDS
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
            raise self.gone(guest, "does not run")
        return [int(pid) for pid in pids]
