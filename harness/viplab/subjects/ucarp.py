"""ucarp, which speaks CARP: the VIP comes and goes with two scripts, and adverts are CARP's.

It announces the VIP on the interface that its adverts leave by, so both are the VIP's own, whatever the scenario says
of an interconnect; losing that interface ends the master without any tracking. In CARP less skew wins: the highest
priority of a scenario has none. As in VRRP a better host preempts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.errors import NotSupportedError
from viplab.faults import Effect
from viplab.subjects.family import NONE, Family, Terms, TimingModel
from viplab.subjects.subject import Subject
from viplab.types import HostName, Protocol

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

UCARP_1 = Family(
    "ucarp-1",
    TimingModel(
        # SIGTERM has it give the address up, and tell nobody.
        outage={
            Effect.DAEMON_LOST: NONE,
            Effect.GIVES_UP: Terms(skews=1),
            Effect.HOST_LOST: Terms(downs=1, less_x=True),
            Effect.RETURNS: NONE,
        },
        releases=False,
        # It claims at the next advert that it hears.
        return_detection=Terms(adverts=1, less_x=True),
        # It hears adverts by libpcap, whose buffer hands over what is in it once a second.
        held_back_s=1.0,
    ),
    garp_bursts=2,
)
_START, _SETTLE = "/etc/ucarp/start.sh", "/etc/ucarp/settle.sh"
_UP, _DOWN = "/etc/ucarp/vip-up.sh", "/etc/ucarp/vip-down.sh"
# In CARP the skew is part of the advert interval, so that small steps leave a backup that took over its interval.
_SKEW_STEP, _MOST_SKEW = 10, 254


class Ucarp(Subject):
    """ucarp 1.5, as Debian packages it."""

    name = "ucarp"
    profiles = (UCARP_1,)
    present = ("/usr/sbin/ucarp",)
    packages = ("ucarp",)
    start_command = f"sh {_START}"
    stop_command = "kill $(pidof ucarp) && while pidof ucarp >/dev/null; do sleep 0.02; done"

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """The command line, and the scripts that bring the VIP and take it away."""
        vrrp, interface = scenario.vrrp, self.advert_interface(scenario)
        if untracked := [name for name in vrrp.track_interface if name != interface]:
            raise NotSupportedError(
                f"ucarp cannot do {scenario.scenario}: it cannot track {untracked[0]}; "
                f"it notices only the loss of {interface}, which its adverts leave by"
            )
        if len(vrrp.vips) > 1:
            raise NotSupportedError(f"ucarp cannot do {scenario.scenario}: it has one address, not {len(vrrp.vips)}")
        skew = self.advskew(scenario, host)
        options = (
            f"--interface={interface} --srcip=${{address%%/*}} --vhid={vrrp.virtual_router_id} --pass=viplab "
            f"--addr={vrrp.vip} --advbase={vrrp.advert_int:g} --advskew={skew} --preempt --shutdown "
            f"--upscript={_UP} --downscript={_DOWN} --daemonize"
        )
        # The host's own address: a VIP that a killed daemon left behind is a secondary one of the same network.
        address = f"ip -4 -o address show dev {interface} primary | head -n 1 | tr -s ' ' | cut -d ' ' -f 4"
        # Every host begins as a backup and hears adverts late: the others start after the one that is to be master.
        settle = (
            f"for i in $(seq 50); do ip address show dev {interface} | grep -qw {vrrp.vip} && break; sleep 0.1; done"
        )
        return {
            _SETTLE: f"{settle}\n" if scenario.hosts[host].state == "MASTER" else "",
            _START: f"chmod +x {_UP} {_DOWN}\naddress=$({address})\nexec ucarp {options}\n",
            _UP: f"#!/bin/sh\nip address add {vrrp.virtual_ipaddress[0]}\n",
            _DOWN: f"#!/bin/sh\nip address del {vrrp.virtual_ipaddress[0].split()[0]} dev {interface}\n",
        }

    def start(self, guest: Guest) -> None:
        """Start it; of a host of state MASTER, wait for some seconds until it is."""
        super().start(guest)
        guest.run(f"sh {_SETTLE}")

    def advskew(self, scenario: Scenario, host: HostName) -> int:
        """A step for each priority of the scenario that is higher than the host's."""
        priorities = {name: node.priority or 0 for name, node in scenario.daemons.items()}
        better = {priority for priority in priorities.values() if priority > priorities[host]}
        return min(_MOST_SKEW, _SKEW_STEP * len(better))

    def protocol(self, scenario: Scenario) -> Protocol:
        """CARP's."""
        return "carp"

    def advert_interface(self, scenario: Scenario) -> str:
        """The VIP's own, on which it announces it."""
        return scenario.vrrp.vip_interface

    def version(self, guest: Guest) -> str:
        """The first line of its help, such as `ucarp 1.5.2 - Jan  3 2023`, without the date of the build."""
        return guest.run("ucarp --help 2>&1").stdout.strip().partition(" - ")[0]

    def processes(self, guest: Guest) -> list[int]:
        """Its one process."""
        pids = guest.run("pidof ucarp").stdout.split()
        if not pids:
            raise self.gone(guest, "does not run")
        return [int(pid) for pid in pids]
