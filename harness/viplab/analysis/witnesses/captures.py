"""Each capture against what the timeline says of it, and against itself."""

from __future__ import annotations

from collections.abc import Sequence

from viplab.analysis.record import Record
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.witness import Witness

# tcpdump captures from before it says so, and has ended when the timeline says so.
_BEFORE_NS, _AFTER_NS = 1_000_000_000, 1_000_000
# A frame is stamped by the processor that takes it; 2.3 ms out of order were seen on a busy machine.
_BACKWARDS_NS = 20_000_000
# Two frames of one nanosecond with the same bytes can be; a tenth of a capture cannot.
_TWICE_SHARE = 0.1


def _packets(record: Record, views: Sequence[FaultView]) -> str | None:
    said = {event.get("network"): event.get("packets") for event in record.all("capture_stopped")}
    for network, file in record.captures.items():
        if said.get(network) is None:
            return f"the capture on {network} does not say how many packets it took"
        if said[network] != file.packets:
            return f"the capture on {network} holds {file.packets:,} packets; it took {said[network]:,}"
    gone = [network for network, packets in said.items() if packets and network not in record.captures]
    return f"the capture on {gone[0]} is gone; it took {said[gone[0]]:,} packets" if gone else None


def _span(record: Record, views: Sequence[FaultView]) -> str | None:
    started = {event.get("network"): event.t_ns for event in record.all("capture_started")}
    stopped = {event.get("network"): event.t_ns for event in record.all("capture_stopped")}
    for network, file in record.captures.items():
        if network not in started or network not in stopped:
            return f"the timeline does not say from when to when {network} was captured"
        if not file.packets:
            continue
        early_ns, late_ns = started[network] - file.first_ns, file.last_ns - stopped[network]
        if early_ns > _BEFORE_NS:
            return f"the capture on {network} has a packet {early_ns / 1e9:.3f} s older than the capture"
        if late_ns > _AFTER_NS:
            return f"the capture on {network} has a packet from {late_ns / 1e9:.3f} s after its end"
    return None


def _order(record: Record, views: Sequence[FaultView]) -> str | None:
    for network, file in record.captures.items():
        if file.backwards_ns > _BACKWARDS_NS:
            return f"the stamps of the capture on {network} go back by {file.backwards_ns / 1e6:.3f} ms"
        if file.twice > _TWICE_SHARE * file.packets:
            return f"{file.twice:,} of {file.packets:,} packets are in the capture on {network} twice"
    return None


WITNESSES = (
    Witness(
        name="packet counts",
        compares="the packets in each capture with the number that tcpdump gave",
        needs="`capture_stopped` of each network",
        tolerance="none",
        rule=_packets,
    ),
    Witness(
        name="span of the captures",
        compares="the stamps of each capture with the moments at which it was started and stopped",
        needs="`capture_started` and `capture_stopped` of each network",
        tolerance="1 s before (tcpdump captures before it says so), 1 ms after",
        rule=_span,
    ),
    Witness(
        name="order of the stamps",
        compares="each stamp of a capture, and each frame, with the one before it",
        needs="-",
        tolerance="20 ms back (a busy processor hands its frames over late); a tenth of the frames twice",
        rule=_order,
    ),
)
