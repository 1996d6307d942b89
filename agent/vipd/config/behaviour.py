"""The differences between VRRP daemons as data: named switches, and three profiles of them.

A switch is added here, and to the conditions of `table`, never as a test for a daemon's name somewhere else.
"""

from __future__ import annotations

from typing import NamedTuple

SECOND_NS = 1_000_000_000


class Behaviour(NamedTuple):
    """The switches of a profile; defaults are what RFC 3768 and RFC 9568 require, or the most cautious choice left."""

    name: str

    honours_initial_state: bool = False
    """`state MASTER` in the configuration makes a router with a priority below 255 claim the addresses at start."""

    claims_in_two_steps: bool = False
    """A claim is one advert, then one advert interval to listen for objections, then the addresses."""

    reads_links_late: bool = False
    """Interfaces are looked at when the timer fires or an advert is read, not when they change."""

    compares_priority_after_fault: bool = False
    """An advert read on leaving FAULT decides at once: own priority strictly greater claims, else BACKUP."""

    elects_on_lower_advert: bool = False
    """A backup that receives a lower priority claims at once instead of letting its timer run out."""

    delays_preempt_from_start: bool = False
    """preempt_delay counts from the start of the daemon, not from the first advert of a lower priority."""

    answers_lower_advert: bool = False
    """A master answers an advert that loses against it at once, counts its interval from that answer, and announces its
    addresses again for the switches that learnt the other one's. RFC 3768 has it discard such an advert silently."""

    asserts_in_version_3: bool = False
    """A master answers such an advert of version 3 and leaves its timer alone (RFC 9568 section 6.4.3)."""

    watches_addresses: bool = False
    """A master whose address another program removes sends priority 0 and claims again after its Skew_Time."""

    tracks_carriers: bool = True
    """Interfaces that carry addresses, virtual routes or rules have to be up, too."""

    accepts: bool = True
    """Accept_Mode unless configured: a master that is not the owner takes packets for the addresses."""

    message_only_checksum: bool = False
    """Version 3 over IPv4 is sent with RFC 9568's checksum, which Debian's keepalived and FRR do not accept."""

    link_local_first: bool = False
    """IPv6 adverts whose first address is not link-local are refused (RFC 9568, erratum 8300); FRR sends no others."""

    takes_zero_for_lower: bool = False
    """A master takes priority 0 for one lower advert more."""

    misreads_tie: bool = False
    """Equal priorities compare the sender's address in one byte order with the own one in the other (1.2.2's bug)."""

    owner_listens: bool = False
    """A router of priority 255 processes adverts of others (RFC 3768 section 7.1 makes it discard them)."""

    rearms_at_every_packet: bool = False
    """Every packet read and every timeout set the timer anew, from now: the schedule drifts by what handling takes."""

    skews_by_base_priority: bool = False
    """Skew_Time comes from the configured priority, whatever is tracked."""

    stop_adverts_on_fault: int = 1
    """Adverts of priority 0 that a master sends when it enters FAULT."""

    stop_adverts_on_stop: int = 1
    """Adverts of priority 0 that a master sends when it is stopped, before it gives its addresses up."""

    garp_repeat: int = 1
    """Gratuitous ARPs for each address in one burst, unless configured."""

    garp_delay_ns: int = 0
    """Time from the first burst to the second, 0 for none, unless configured."""

    tos: int = 0xC0
    """Type of service of adverts; internetwork control unless the daemon does otherwise."""


PRESETS = {
    preset.name: preset
    for preset in (
        Behaviour(name="rfc9568", asserts_in_version_3=True, watches_addresses=True, accepts=False),
        Behaviour(
            name="keepalived-2",
            answers_lower_advert=True,
            watches_addresses=True,
            owner_listens=True,
            stop_adverts_on_fault=2,
            garp_repeat=5,
            garp_delay_ns=5 * SECOND_NS,
        ),
        Behaviour(
            name="keepalived-1.2.2",
            honours_initial_state=True,
            claims_in_two_steps=True,
            reads_links_late=True,
            tracks_carriers=False,
            compares_priority_after_fault=True,
            elects_on_lower_advert=True,
            delays_preempt_from_start=True,
            answers_lower_advert=True,
            takes_zero_for_lower=True,
            misreads_tie=True,
            owner_listens=True,
            rearms_at_every_packet=True,
            skews_by_base_priority=True,
            stop_adverts_on_fault=0,
            stop_adverts_on_stop=0,
            garp_repeat=5,
            garp_delay_ns=5 * SECOND_NS,
            tos=0,
        ),
    )
}
DEFAULT = "keepalived-2"
