"""keepalived, as the distribution's package installs it or as a build, and the families that it has belonged to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.faults import Effect
from viplab.subjects.build import FOLDER, Build, from_package
from viplab.subjects.family import NONE, Family, Terms, TimingModel
from viplab.subjects.keepalived_conf import KEYWORDS, PATH, keepalived_conf, vmac
from viplab.subjects.rpm_build import from_rpm
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
        # The other leaves the address at that claim; it has it an interval after the one with which it is master.
        elected_return=Terms(adverts=2),
        # Who can take over first waits for the others of the group, and looks again an interval later.
        member_lost=Terms(downs=1, adverts=2, less_x=True),
    ),
    log_prefix=r"VRRP_Instance\([^)]*\) ",
    garp_bursts=2,
    master_line="Transition to MASTER STATE",
    election_line="forcing a new MASTER election",
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
        },
        # Not sooner than its last member can, although the others say that they give up.
        member_lost=Terms(downs=1, less_x=True),
    ),
    log_prefix=r"\([^)]*\) ",
    garp_bursts=2,
    master_line="Entering MASTER STATE",
    release_heard="Backup received priority 0 advertisement",
)


_PIDFILE = "/run/keepalived.pid"
_BUILT = f"{FOLDER}/usr/sbin/keepalived"
# Each file is named: where a build looks for them is its own choice.
_START = f"{_BUILT} -D -f {PATH} -p {_PIDFILE} -r /run/keepalived-vrrp.pid"
_STOP = f"kill $(cat {_PIDFILE}) && while pidof keepalived >/dev/null; do sleep 0.02; done"


class Keepalived(Subject):
    """keepalived 2.x; it is part of the guest image."""

    name = "keepalived"
    profiles = (KEEPALIVED_2,)
    present: tuple[str, ...] = ("/usr/sbin/keepalived", "/etc/init.d/keepalived")
    packages: tuple[str, ...] = ("keepalived",)
    has_parent = True
    reloads = True
    keywords = KEYWORDS
    start_command = "/etc/init.d/keepalived start >/dev/null"
    stop_command = "/etc/init.d/keepalived stop >/dev/null"

    def __init__(self, profile: str | None = None, label: str | None = None, build: Build | None = None) -> None:
        # Of another age than what is installed can be: it is held against what the article's own did.
        first = build is not None and (build.release or "").startswith("1.")
        super().__init__(None if first and profile == KEEPALIVED_1.name else profile, label, build)
        if first:
            self.family = KEEPALIVED_1
        if build is not None:
            self.present, self.packages = (), ()
            self.start_command, self.stop_command = _START, _STOP

    @classmethod
    def build_of(cls, source: str) -> Build:
        """A package of Debian's or RPM's, or a source."""
        if source.endswith(".deb"):
            return from_package("keepalived", source, "/usr/sbin/keepalived")
        if source.endswith(".rpm"):
            return from_rpm("keepalived", source)
        # Who builds nothing needs none of it.
        from viplab.subjects.source_build import from_source

        return from_source(source)

    def install(self, guest: Guest) -> None:
        """Have it log as the article's did (-D: details)."""
        guest.put(b'DAEMON_ARGS="-D"\n', "/etc/default/keepalived")
        if self.build is not None:
            self.build.unpack(guest)

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """Its keepalived.conf."""
        return {PATH: keepalived_conf(scenario, host)}

    def virtual_mac(self, scenario: Scenario) -> str | None:
        """With `use_vmac` the virtual router's, which the addresses of the adverts' own interface have."""
        return vmac(scenario)

    def version(self, guest: Guest) -> str:
        """The first line of `keepalived --version`, such as `Keepalived v2.2.7 (01/16,2022)`."""
        program = "keepalived" if self.build is None else _BUILT
        said = guest.run(f"{program} --version 2>&1").checked().stdout.splitlines()[0].strip()
        return self._with_build(said)

    def processes(self, guest: Guest) -> list[int]:
        """Parent and children."""
        pids = guest.run("pidof keepalived").stdout.split()
        if not pids:
            raise self.gone(guest, "does not run")
        return [int(pid) for pid in pids]
