"""Hosts that pass connections on by NAT, as a pair of firewalls does; conntrackd tells each what the other knows.

A connection passes through the host that has the virtual address, which remembers to whom it has given it. The second
virtual address, on the interconnect, is the one that the hosts behind see, whichever host that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.addresses import HTTP_PORT, address_of
from viplab.services.service import Service
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Scenario

_RULES, _CONNTRACKD = "/etc/viplab-nat.nft", "/etc/conntrackd/conntrackd.conf"
_TRANSLATE = f"nft -f {_RULES}"
_THERE = "nft list table ip viplab_nat"


def _rules(scenario: Scenario, host: HostName) -> dict[str, str]:
    """New connections go to the hosts behind in turn."""
    behind = [address_of(name, "eth0") for name in scenario.hosts if name not in scenario.daemons]
    turns = ", ".join(f"{turn} : {address}" for turn, address in enumerate(behind))
    inside = scenario.vrrp.vips[-1]
    text = f"""\
table ip viplab_nat {{
    chain prerouting {{
        type nat hook prerouting priority dstnat;
        ip daddr {scenario.vrrp.vip} tcp dport {HTTP_PORT} dnat to numgen inc mod {len(behind)} map {{ {turns} }}
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        oifname eth0 tcp dport {HTTP_PORT} snat to {inside}
    }}
}}
"""
    return {_RULES: text}


def _both(scenario: Scenario, host: HostName) -> dict[str, str]:
    """Each state goes to the other host as it changes, and there at once into the kernel: no script has to do that."""
    text = f"""\
Sync {{
    Mode NOTRACK {{
        DisableExternalCache yes
    }}
    Multicast {{
        IPv4_address 225.0.0.50
        Group 3780
        IPv4_interface {address_of(host, "eth0")}
        Interface eth0
    }}
}}
General {{
    HashSize 8192
    HashLimit 65535
    Syslog on
    LockFile /run/conntrackd.lock
    UNIX {{
        Path /run/conntrackd.ctl
    }}
    Filter From Kernelspace {{
        Protocol Accept {{
            TCP
        }}
    }}
}}
"""
    return _rules(scenario, host) | {_CONNTRACKD: text}


NAT = Service(
    name="nat",
    present=("/usr/sbin/nft",),
    packages=("nftables",),
    files=_rules,
    start=_TRANSLATE,
    listens=_THERE,
    balances=True,
)

CONNTRACKD = Service(
    name="conntrackd",
    present=("/usr/sbin/nft", "/usr/sbin/conntrackd"),
    packages=("nftables", "conntrackd"),
    files=_both,
    start=f"{_TRANSLATE} && conntrackd -d -C {_CONNTRACKD}",
    listens=f"{_THERE} && conntrackd -C {_CONNTRACKD} -s",
    balances=True,
)
