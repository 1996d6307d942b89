"""FRR's vrrpd, with zebra and from FRR 10 on mgmtd, and the macvlan device that has to be there before it.

FRR holds the VIP by a macvlan on the interface that its adverts leave by, with its family's virtual MAC; a backup's is
`protodown`, which is as good as no carrier. So its adverts travel on the VIP's own network, whatever the scenario
says of an interconnect, and losing that interface ends the master without any tracking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.address_family import IPV6
from viplab.addresses import SUBNETS, virtual_mac
from viplab.errors import NotSupportedError
from viplab.faults import Effect
from viplab.subjects.build import FOLDER, Build, from_package
from viplab.subjects.family import NONE, Family, Terms, TimingModel
from viplab.subjects.subject import Subject
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario
    from viplab.scenario.vrrp import Vrrp

DAEMONS = "/usr/lib/frr"
_LIBRARIES = f"LD_LIBRARY_PATH=$(echo {FOLDER}/usr/lib/*/frr)"
DEVICE = "vrrp"
"""The macvlan."""
FRR_8 = Family(
    "frr-8",
    TimingModel(
        # A backup's macvlan is only `protodown`: what a bridge floods to it, because the master's port lost its
        # carrier, it answers; and a master that has stopped answers until the virtual MAC is heard elsewhere.
        outage={
            Effect.DAEMON_LOST: NONE,
            Effect.GIVES_UP: Terms(skews=1, at_most=True),
            Effect.HOST_LOST: Terms(downs=1, less_x=True, at_most=True),
            Effect.RETURNS: NONE,
        },
        # Linux deals with carriers at most once a second (its link watch), and waits for the lock that routing has.
        held_back_s=1.0,
    ),
    # Adverts of IPv6 leave by the macvlan, whose addresses it has not heard of again as that gets its carrier.
    announces_first=(IPV6,),
    log_prefix=r"(?:\[[A-Z0-9]{5}-[A-Z0-9]{5}\] )?\[[A-Z]+\] \[VRID \d+\] (?:\[IPv[46]\] )?",
)
_INTERFACE, _ZEBRA, _VRRPD = "/etc/frr/vrrp-interface", "/etc/frr/zebra.conf", "/etc/frr/vrrpd.conf"
_PRINTED = "/run/frr/printed"
_LONGEST_MS = 40950


def vrrpd_conf(interface: str, virtual_router_id: int, settings: dict[str, object]) -> str:
    """The part of a vrrpd.conf that makes one virtual router; each setting is a line in FRR's words, or several."""
    lines = [
        f" vrrp {virtual_router_id} {name} {one}"
        for name, value in settings.items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return "\n".join([f"interface {interface}", *lines]) + "\n"


def _start(daemons: str) -> str:
    # zebra 10 tells mgmtd of every change; where there is none it tries again without end, at 8 % of a processor that
    # is not emulated. Daemons of FRR 10 hold on to what they print to, and a command ends when nobody does any more.
    return (
        f"install -d -o frr -g frr /run/frr && {{ sh {_INTERFACE} && "
        f"{{ [ ! -x {daemons}/mgmtd ] || {daemons}/mgmtd -d; }} && "
        f"{daemons}/zebra -d -f {_ZEBRA} && {daemons}/vrrpd -d -f {_VRRPD}; }} >{_PRINTED} 2>&1 || "
        f"{{ cat {_PRINTED} >&2; false; }}"
    )


class Frr(Subject):
    """FRR 8 or newer, as Debian packages it."""

    name = "frr"
    profiles = (FRR_8,)
    present = (f"{DAEMONS}/vrrpd", f"{DAEMONS}/zebra")
    packages = ("frr",)
    keywords = Subject.keywords | {"version", "nopreempt"}
    start_command = _start(DAEMONS)
    # zebra after vrrpd: it is told by that one to take the address down.
    stop_command = (
        "kill $(pidof vrrpd) && while pidof vrrpd >/dev/null; do sleep 0.02; done; "
        f"while [ $(cat /sys/class/net/{DEVICE}/carrier) != 0 ] && pidof zebra >/dev/null; do sleep 0.02; done; "
        "kill $(pidof zebra mgmtd)"
    )

    def __init__(self, profile: str | None = None, label: str | None = None, build: Build | None = None) -> None:
        super().__init__(profile, label, build)
        self._daemons = DAEMONS
        if build is not None:
            # Its accounts and folders are those of the installed package; the library of a build lies beside it.
            self._daemons = FOLDER + DAEMONS
            self.start_command = f"export {_LIBRARIES}; {_start(self._daemons)}"

    @classmethod
    def build_of(cls, source: str) -> Build:
        """A package of Debian's."""
        return from_package("frr", source, f"{DAEMONS}/vrrpd")

    def install(self, guest: Guest) -> None:
        """Unpack a build."""
        if self.build is not None:
            self.build.unpack(guest)

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """vrrpd.conf and zebra.conf, and the script that makes the macvlan, which FRR leaves to its user."""
        vrrp, interface = scenario.vrrp, self.advert_interface(scenario)
        if untracked := [name for name in vrrp.track_interface if name != interface]:
            raise NotSupportedError(
                f"frr cannot do {scenario.scenario}: it cannot track {untracked[0]}; "
                f"it notices only the loss of {interface}, which its adverts leave by"
            )
        if vrrp.advert_int * 1000 > _LONGEST_MS:
            raise NotSupportedError(
                f"frr cannot do {scenario.scenario}: advert_int is at most 40 s, not {vrrp.advert_int:g}"
            )
        settings: dict[str, object] = {
            "version": vrrp.version,
            "priority": scenario.hosts[host].priority,
            "advertisement-interval": round(vrrp.advert_int * 1000),
            "ipv6" if vrrp.family is IPV6 else "ip": vrrp.vips,
        }
        stays = f" no vrrp {vrrp.virtual_router_id} preempt\n" if vrrp.nopreempt else ""
        return {
            _VRRPD: "log syslog informational\n" + vrrpd_conf(interface, vrrp.virtual_router_id, settings) + stays,
            _ZEBRA: "log syslog informational\n",
            _INTERFACE: _interface_script(interface, self.virtual_mac(scenario), vrrp),
        }

    def version(self, guest: Guest) -> str:
        """The first line of `vrrpd --version`, such as `vrrpd version 8.4.4`."""
        said = guest.run(f"{_LIBRARIES} {self._daemons}/vrrpd --version").checked().stdout.splitlines()[0].strip()
        return self._with_build(said)

    def processes(self, guest: Guest) -> list[int]:
        """vrrpd and zebra, and mgmtd where there is one."""
        pids = guest.run("pidof vrrpd && pidof zebra && pidof mgmtd").stdout.split()
        if not pids:
            raise self.gone(guest, "does not run")
        return [int(pid) for pid in pids]

    def advert_interface(self, scenario: Scenario) -> str:
        """The VIP's own: FRR has no other."""
        return scenario.vrrp.vip_interface

    def virtual_mac(self, scenario: Scenario) -> str:
        """The virtual router's."""
        return virtual_mac(scenario.vrrp.virtual_router_id, ipv6=scenario.vrrp.family is IPV6)

    def holds(self, guest: Guest, vip: str) -> bool:
        """Whether the macvlan has a carrier; the address is on it whatever FRR's state."""
        return guest.run(f"cat /sys/class/net/{DEVICE}/carrier").stdout.strip() == "1"


def _interface_script(interface: str, mac: str, vrrp: Vrrp) -> str:
    """A macvlan as FRR's manual makes it."""
    addresses = [line.split()[0] for line in vrrp.virtual_ipaddress]
    return f"""\
set -e
[ ! -e /sys/class/net/{DEVICE} ] || exit 0
ip link add {DEVICE} link {interface} address {mac} type macvlan mode bridge
ip link set {DEVICE} addrgenmode none
{_ipv6(interface, addresses) if vrrp.family is IPV6 else _ipv4(interface, addresses)}
ip link set {DEVICE} up
"""


def _ipv4(interface: str, addresses: list[str]) -> str:
    """The addresses, and no ARP for them from the interface below (Linux' weak hosts)."""
    added = "\n".join(f"ip address add {address} broadcast + dev {DEVICE}" for address in addresses)
    return f"""\
for name in {interface} {DEVICE}; do
    echo 1 >/proc/sys/net/ipv4/conf/$name/arp_ignore
    echo 2 >/proc/sys/net/ipv4/conf/$name/arp_announce
done
{added}"""


def _ipv6(interface: str, addresses: list[str]) -> str:
    """The addresses, and a link-local one of the host's own, from which adverts are sent.

    It is that of another card, which is on another network: known to be the host's, and nobody else's here. vrrpd binds
    to the first of its macvlan, and the kernel puts the one that came last before the others.
    """
    other = next(card for card in SUBNETS if card != interface)
    own = f"$(ip -6 -o address show dev {other} scope link | awk '{{print $4}}')"
    return "\n".join(f"ip address add {address} dev {DEVICE} nodad" for address in (*addresses, own))
