"""The frames that matter, as rows in Wireshark's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from viplab.address_family import family_of
from viplab.analysis.record import Record
from viplab.analysis.views import FaultView, FrameRow
from viplab.capture.frames import BROADCAST, AddressResolution, Advert, Carp, Echo, Neighbour

# So many adverts of the old master before a takeover, and of the new one after it.
_ADVERTS = 3
Frame = Advert | Carp | AddressResolution | Echo


class Resolution(NamedTuple):
    """The new master asks who the client is, and the answer."""

    request: AddressResolution
    reply: AddressResolution | None


def resolution(record: Record, view: FaultView) -> Resolution | None:
    """The first exchange of ARP or ND after a fault in which the new master resolves the client's address."""
    client = record.station("client")
    host = record.station(view.new_master) if view.new_master else None
    if client is None or host is None:
        return None
    mac = host.public_mac.lower()
    since_ns = view.summary.fault.at_ns
    for asked in record.resolutions:
        if asked.request and asked.src_mac == mac and asked.target_ip == client.public_ip and asked.time_ns >= since_ns:
            replies = (
                reply
                for reply in record.resolutions
                if not reply.request
                and reply.sender_ip == client.public_ip
                and reply.dst_mac == mac
                and reply.time_ns >= asked.time_ns
            )
            return Resolution(asked, next(replies, None))
    return None


def rows(record: Record, views: Sequence[FaultView], zero_ns: int) -> list[FrameRow]:
    """Adverts around each takeover, priority 0, announcements, the resolution of the client, the first answer."""
    chosen: dict[tuple[str, int], tuple[Frame, str | None]] = {}

    def take(frame: Frame, mark: str | None) -> None:
        key = (record.info.adverts_on if isinstance(frame, Advert | Carp) else "public", frame.no)
        if key not in chosen or chosen[key][1] is None:
            chosen[key] = (frame, mark)

    for view in views:
        for frame, mark in _takeover(record, view):
            take(frame, mark)
    for advert in record.adverts:
        if not advert.priority:
            take(advert, f"{record.advertiser(advert) or advert.src_ip} gives up: priority 0")
    for announcement in record.announcements:
        take(announcement, None)
    ordered = sorted(chosen.items(), key=lambda item: (item[1][0].time_ns, item[0]))
    return [_row(record, frame, mark, zero_ns) for _, (frame, mark) in ordered]


def _takeover(record: Record, view: FaultView) -> list[tuple[Frame, str | None]]:
    moments, old, new = view.moments, view.old_master, view.new_master
    found: list[tuple[Frame, str | None]] = []
    limit_ns = moments.first_advert_ns or view.summary.fault.at_ns
    before = [advert for advert in record.adverts_of(old) if advert.time_ns <= limit_ns][-_ADVERTS:] if old else []
    found += [(advert, f"last advert of {old}" if advert is before[-1] else None) for advert in before]
    if new is None:
        return found
    begun_ns = moments.first_advert_ns
    after = (
        [] if begun_ns is None else [claim for claim in record.adverts_of(new) if claim.time_ns >= begun_ns][:_ADVERTS]
    )
    found += [(advert, f"first advert of {new}" if advert is after[0] else None) for advert in after]
    found += [
        (announcement, f"{new} announces the VIP")
        for announcement in record.announcements
        if announcement.time_ns == moments.first_garp_ns
    ]
    exchange = resolution(record, view)
    if exchange:
        found.append((exchange.request, f"{new} asks for the client's MAC"))
        if exchange.reply:
            found.append((exchange.reply, "the client answers"))
    client = record.station("client")
    for stream, source in (("probe", record.info.probe_source), ("ping", client.public_ip if client else None)):
        found += _first_answer(record, view, stream, source)
    return found


def _first_answer(record: Record, view: FaultView, stream: str, source: str | None) -> list[tuple[Frame, str | None]]:
    """The first answer of the new master in one stream, after the request that it answers."""
    since_ns = view.summary.fault.at_ns
    for index, echo in enumerate(record.echoes):
        if echo.request or echo.dst_ip != source or echo.time_ns < since_ns:
            continue
        if record.host_by_mac(echo.src_mac) == view.new_master:
            pair = (echo.ident, echo.seq)
            asked = (e for e in reversed(record.echoes[:index]) if e.request and (e.ident, e.seq) == pair)
            request = next(asked, None)
            marks: list[tuple[Frame, str | None]] = [(echo, f"first answer of {view.new_master} to the {stream}")]
            return (
                [(request, f"the {stream}'s request that {view.new_master} answers first"), *marks]
                if request
                else marks
            )
    return []


def _row(record: Record, frame: Frame, mark: str | None, zero_ns: int) -> FrameRow:
    protocol, source, destination, info = _columns(record, frame)
    return FrameRow.model_validate(
        {
            "no": frame.no,
            "time_s": (frame.time_ns - zero_ns) / 1e9,
            "source": source,
            "destination": destination,
            "protocol": protocol,
            "length": frame.length,
            "info": f"VLAN {vlan_words(frame.vlans)}: {info}" if frame.vlans else info,
            "network": record.info.adverts_on if isinstance(frame, Advert | Carp) else "public",
            "mark": mark,
        }
    )


def vlan_words(vlans: Sequence[int]) -> str:
    """The numbers of a frame's tags, the outermost first, such as `100` or `200, 100 within it`."""
    outer, *inner = vlans
    return ", ".join([str(outer), *(f"{vlan} within it" for vlan in inner)])


def _columns(record: Record, frame: Frame) -> tuple[str, str, str, str]:
    if isinstance(frame, Advert):
        info = f"Announcement (v{frame.version}), VRID {frame.virtual_router_id}, priority {frame.priority}"
        return "VRRP", frame.src_ip, frame.dst_ip, f"{info}, interval {frame.advert_int_s:g} s"
    if isinstance(frame, Carp):
        info = f"Announcement, VHID {frame.virtual_host_id}, advskew {frame.advskew}, advbase {frame.advbase_s} s"
        return "CARP", frame.src_ip, frame.dst_ip, info
    if isinstance(frame, Echo):
        info = f"Echo (ping) {'request' if frame.request else 'reply'}  id=0x{frame.ident:04x}, seq={frame.seq}"
        return (
            family_of(frame.src_ip).echo,
            frame.src_ip,
            frame.dst_ip,
            f"{info}, from {_who(record, frame.src_mac)} to {_who(record, frame.dst_mac)}",
        )
    if isinstance(frame, Neighbour):
        return "ICMPv6", frame.src_ip, frame.dst_ip, _neighbour_words(frame)
    destination = "Broadcast" if frame.dst_mac == BROADCAST else frame.dst_mac
    if frame.gratuitous:
        info = f"Gratuitous ARP for {frame.sender_ip} ({'request' if frame.request else 'reply'})"
    elif frame.request:
        info = f"Who has {frame.target_ip}? Tell {frame.sender_ip}"
    else:
        info = f"{frame.sender_ip} is at {frame.sender_mac}"
    return "ARP", frame.src_mac, destination, info


def _neighbour_words(frame: Neighbour) -> str:
    if frame.request:
        return f"Neighbor Solicitation for {frame.target_ip} from {frame.sender_mac}"
    flags = ", ".join(word for word, is_set in (("sol", frame.solicited), ("ovr", frame.override)) if is_set)
    return f"Neighbor Advertisement {frame.target_ip}{f' ({flags})' if flags else ''} is at {frame.sender_mac}"


def _who(record: Record, mac: str) -> str:
    return record.host_by_mac(mac) or mac
