"""What the clause tests share: routers of either version brought to a state, and packets for them."""

from __future__ import annotations

from support.playbook import HIGHER_ADDRESS, Playbook, adds, becomes, garps, removes, sends, started, timeout
from vipd.config.behaviour import SECOND_NS
from vipd.config.model import VirtualAddress
from vipd.protocol import packet_v3
from vipd.protocol.checksum import checksum
from vipd.protocol.effects import SendAdvert
from vipd.protocol.packet import GROUPS, Advert, ChecksumForm
from vipd.protocol.table import State
from vipd.protocol.validation import Discard

VIP4 = VirtualAddress("192.168.122.50", 24, "eth1")
VIP6 = (VirtualAddress("fe80::50", 64, "eth0"), VirtualAddress("2001:db8::50", 64, "eth0"))
OWN6 = 0xFE80 << 112 | 2
HIGHER6 = 0xFE80 << 112 | 3


def refused_by(
    play: Playbook, payload: bytes, ttl: int = 255, source: int = HIGHER_ADDRESS, **more: object
) -> Discard | None:
    """Why a router refuses a packet; that it did is counted, and the state machine has not seen it."""
    before = (play.router.state, play.router.deadline())
    counted = dict(play.router.discards)
    reason = play.router.advert_received(payload, source, ttl, play.now, **more)  # type: ignore[arg-type]
    if reason is not None:
        assert play.router.discards == {**counted, reason: counted[reason] + 1}
        assert (play.router.state, play.router.deadline()) == before
    play.router.drain()
    return reason


def backup(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router in BACKUP."""
    play = Playbook(profile, **changes)
    if play.router.config.family == 6:
        play.router.primary = OWN6
    play >> started() << removes() << becomes(State.BACKUP)
    return play


def master(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router in MASTER."""
    play = backup(profile, **changes)
    play >> timeout(play.waits_s or 0)
    play._pending.clear()
    assert play.router.state is State.MASTER
    return play


def owner(profile: str = "rfc9568", **changes: object) -> Playbook:
    """A router of priority 255, just started."""
    play = Playbook(profile, priority=255, **changes)
    if play.router.config.family == 6:
        play.router.primary = OWN6
    play >> started() << sends(255) << adds() << garps(play.router.behaviour.garp_repeat) << becomes(State.MASTER)
    return play


def sent(play: Playbook) -> list[SendAdvert]:
    """The adverts among what a router wants done."""
    return [effect for effect in play.router.drain() if isinstance(effect, SendAdvert)]


def timed_out(**changes: object) -> SendAdvert:
    """The advert of a router that becomes master."""
    play = backup(**changes)
    deadline = play.router.deadline()
    assert deadline is not None
    play.router.handle_deadline(deadline)
    return sent(play)[0]


def packet3(
    priority: int,
    interval_s: float = 1,
    family: int = 4,
    addresses: bytes | None = None,
    form: ChecksumForm = ChecksumForm.PSEUDO_HEADER,
    source: int | None = None,
    destination: int | None = None,
    vrid: int = 51,
) -> bytes:
    """An advert of version 3 as another router of the same virtual router sends it."""
    if addresses is None:
        addresses = VIP4.octets if family == 4 else b"".join(vip.octets for vip in VIP6)
    source = source if source is not None else (HIGHER_ADDRESS if family == 4 else HIGHER6)
    advert = Advert(3, vrid, priority, round(interval_s * SECOND_NS), addresses, form=form)
    return packet_v3.encode(advert, family, source, destination or GROUPS[family])


def resealed(octets: bytes) -> bytes:
    """The same packet of version 2 with a right checksum."""
    blank = octets[:6] + b"\0\0" + octets[8:]
    return blank[:6] + checksum(blank).to_bytes(2, "big") + blank[8:]
