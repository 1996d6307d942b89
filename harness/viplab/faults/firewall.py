"""Faults of a host's own firewall: what it does not know it refuses, and VRRP is what it does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.faults.injection import InGuest
from viplab.faults.kind import FaultKind, Heard, Need, Part, Sign
from viplab.faults.target import LastingLinkTarget

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject

_CHAIN = "inet viplab_firewall input"
# ICMP and ICMPv6 by number: their names are those of /etc/protocols, which not every host has.
_ICMP = "{ 1, 58 }"


def _zone_public(target: LastingLinkTarget, subject: Subject, guest: Guest) -> str:
    """What firewalld 1.3 makes of one card in its default zone, in its order: `nft list ruleset` shows the same."""
    rules = (
        "ct state { established, related } accept",
        "ct state invalid drop",
        f"iifname != {target.interface} accept",
        "tcp dport 22 accept",
        f"meta l4proto {_ICMP} accept",
        "reject with icmpx admin-prohibited",
    )
    chain = f"add chain {_CHAIN} {{ type filter hook input priority 10; }}"
    return f"nft 'add table inet viplab_firewall; {chain}; {'; '.join(f'add rule {_CHAIN} {rule}' for rule in rules)}'"


KINDS = (
    FaultKind(
        name="firewall",
        sentence="The host's firewall refuses what it does not know on a card, as firewalld's zone `public` does; "
        "healing adds the rule that lets protocol 112 pass.",
        words="{host} behind a firewall that knows no VRRP",
        healed="VRRP let through the firewall of {host}",
        state="behind a firewall",
        target=LastingLinkTarget,
        injection=InGuest(
            _zone_public,
            heal=lambda target, subject, guest: f"nft insert rule {_CHAIN} meta l4proto 112 accept",
        ),
        heard=Heard.NOT_BY_IT,
        unicast_passes=True,
        signs=(Sign.COMMAND,),
        part=Part.LINK,
        heal_needs=frozenset({Need.ADVERTS}),
    ),
)
