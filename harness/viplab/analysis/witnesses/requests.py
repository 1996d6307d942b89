"""The streams of requests against their senders' own accounts, and against one another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from viplab.analysis.record import Record
from viplab.analysis.streams import Trip
from viplab.analysis.views import FaultView, Stream
from viplab.analysis.witnesses.witness import Witness
from viplab.capture.frames import to_group

# The time is written microseconds before the frame is stamped; what is later than this was held up.
_EARLY_NS, _LATE_NS = 250_000, 2_000_000
# So many requests running that are late without having waited for one another: that is the clock and not the host.
_RUNNING: dict[Stream, int] = {"probe": 5, "ping": 2}
# A neighbour is asked for once a second, three times; meanwhile requests wait, and may never leave.
_ASKING_NS = 1_500_000_000
_INTERVAL_SHARE = 0.1
# Around a ping; an outage that begins or ends within it is no contradiction.
_AROUND_NS = 150_000_000
_FEW = 3
# `ping` is scheduled later than the capture; what it prints has three digits.
_PRINTED_LATER_MS, _PRINTED_SHARE = 50.0, 0.01


def _sent(record: Record, views: Sequence[FaultView]) -> str | None:
    if record.info.probe_source is None:
        return "trial.json has no address of the probe that the timeline has" if record.all("probe_started") else None
    stopped = record.all("probe_stopped")
    if not stopped:
        return "the probe does not say how many requests it sent"
    account = stopped[-1]
    numbers = [echo.number for echo in record.requests["probe"] if echo.number is not None]
    seen = set(numbers)
    if len(numbers) > len(seen):
        return f"{len(numbers) - len(seen):,} requests of the probe are in the capture twice"
    if len(seen) > account["sent"]:
        return f"the capture has {len(seen):,} requests of the probe, which sent {account['sent']:,}"
    if len(seen) < account["sent"] and not _held_back(record, seen, account["sent"] + account["unsent"]):
        return f"the capture has {len(seen):,} of the {account['sent']:,} requests that the probe sent"
    return None


def _held_back(record: Record, seen: set[int], tried: int) -> bool:
    """Whether the client was looking for its neighbour whenever a request did not come to be captured."""
    asked = _asked(record)
    stamped = [echo for echo in record.requests["probe"] if echo.number is not None and echo.handed_ns is not None]
    if not asked or not stamped or tried - len(seen) > len(asked) * _ASKING_NS * 2 // _interval_ns(record):
        return False
    first = stamped[0]
    start_ns = (first.handed_ns or 0) - (first.number or 0) * _interval_ns(record)
    missing = (start_ns + number * _interval_ns(record) for number in range(tried) if number not in seen)
    return all(bisect_left(asked, due_ns - _ASKING_NS) < bisect_right(asked, due_ns + _ASKING_NS) for due_ns in missing)


def _asked(record: Record) -> list[int]:
    """When the client asked everybody who has the VIP."""
    client, vip = record.station("client"), record.info.vip
    mac = client.public_mac.lower() if client else None
    frames = [frame for frame in record.resolutions if frame.request and frame.src_mac == mac]
    return [frame.time_ns for frame in frames if frame.target_ip == vip and to_group(frame.dst_mac)]


def _clock(record: Record, views: Sequence[FaultView]) -> str | None:
    vouched = False
    for stream, running in _RUNNING.items():
        written = [(echo.time_ns, echo.handed_ns) for echo in record.requests[stream] if echo.handed_ns is not None]
        vouched |= bool(written)
        early_ns = min((stamp_ns - sent_ns for stamp_ns, sent_ns in written), default=0)
        if early_ns < -_EARLY_NS:
            return f"the capture on public has a request {-early_ns / 1e6:.3f} ms before the {stream} sent it"
        for late in _late(written):
            if len(late) >= running and not _waited(late):
                least_ns = min(stamp_ns - sent_ns for stamp_ns, sent_ns in late)
                return (
                    f"the capture on public has {len(late)} requests running at least {least_ns / 1e6:.3f} ms"
                    f" after the {stream} sent them"
                )
    if record.trips and not vouched:
        return "no request says when it was sent, so that nothing vouches for the clock of the capture on public"
    return None


def _late(written: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The requests that are late, as runs without a punctual one in between."""
    run: list[tuple[int, int]] = []
    for stamp_ns, sent_ns in written:
        if stamp_ns - sent_ns > _LATE_NS:
            run.append((stamp_ns, sent_ns))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _waited(late: Sequence[tuple[int, int]]) -> bool:
    """Whether they left together, as what waits for a neighbour does: the last one waited far less than the first."""
    (first_stamp_ns, first_ns), (last_stamp_ns, last_ns) = late[0], late[-1]
    return last_stamp_ns - first_stamp_ns < (last_ns - first_ns) / 2


def _intervals(record: Record, views: Sequence[FaultView]) -> str | None:
    said = record.all("probe_stopped")
    if said and record.info.probe_interval_s is not None:
        asked_s, account_s = record.info.probe_interval_s, said[-1]["interval_s"]
        if abs(asked_s - account_s) > 1e-6:
            return f"the probe was to ask every {asked_s:g} s and says {account_s:g} s"
    asked_s = record.info.ping_interval_s
    apart = [after.sent_ns - before.sent_ns for before, after in pairwise(record.streams["ping"])]
    if len(apart) >= _FEW and abs(median(apart) / 1e9 - asked_s) > _INTERVAL_SHARE * asked_s:
        return f"the ping asked every {median(apart) / 1e9:.3f} s and should have every {asked_s:g} s"
    return None


def _transcript(record: Record, views: Sequence[FaultView]) -> str | None:
    ping = record.ping
    if ping is None:
        return None
    if ping.torn:
        return "the ping's transcript has no statistics: it is cut off"
    seqs = [reply.seq for reply in ping.replies]
    if len(set(seqs)) != ping.summary.received or max(seqs, default=0) > ping.summary.sent:
        return (
            f"the ping's transcript has {len(set(seqs))} replies up to number {max(seqs, default=0)}; its statistics"
            f" say {ping.summary.received} of {ping.summary.sent}"
        )
    rtt = ping.summary.rtt_ms
    if rtt is None:
        return "the ping's transcript does not say how long the replies took" if seqs else None
    times = [reply.rtt_ms for reply in ping.replies]
    for said, most in ((rtt.min, min(times, default=0.0)), (rtt.max, max(times, default=0.0))):
        if abs(said - most) > 0.01 + _PRINTED_SHARE * most:
            return f"the ping's statistics have a reply of {said:g} ms, and its transcript {most:g} ms"
    return None


def _transcript_seen(record: Record, views: Sequence[FaultView]) -> str | None:
    ping, trips = record.ping, record.streams["ping"]
    if ping is None or ping.torn or record.station("client") is None:
        return None
    sent = len({echo.seq for echo in record.requests["ping"]})
    if sent > ping.summary.sent or (sent < ping.summary.sent <= 0xFFFF and not _asked(record)):
        return f"the capture has {sent} requests of the ping, which sent {ping.summary.sent}"
    took_ms = {trip.seq: trip.rtt_ns / 1e6 for trip in trips if trip.rtt_ns is not None}
    printed_ms = {reply.seq: reply.rtt_ms for reply in ping.replies}
    # The last one may be answered when ping has been told to stop.
    differ = sorted(seq for seq in took_ms.keys() ^ printed_ms.keys() if seq != ping.summary.sent and seq <= 0xFFFF)
    if differ:
        where = "the capture" if differ[0] in took_ms else "the transcript"
        return f"request {differ[0]} of the ping was answered by {where} only"
    for seq, took in took_ms.items():
        if seq in printed_ms and not -0.05 - took * _PRINTED_SHARE < printed_ms[seq] - took < _PRINTED_LATER_MS:
            return (
                f"request {seq} of the ping took {printed_ms[seq]:g} ms by its transcript, {took:.3f} ms by the capture"
            )
    return None


def _same_outage(record: Record, views: Sequence[FaultView]) -> str | None:
    probe = record.streams["probe"]
    if record.info.probe_kind != "icmp" or not probe:
        return None
    times = [trip.sent_ns for trip in probe]
    for trip in record.streams["ping"]:
        near = around(probe, times, trip.sent_ns, trip.sent_ns)
        answered = trip.rtt_ns is not None
        if len(near) >= _FEW and all((other.rtt_ns is not None) is not answered for other in near):
            what = ("answered", "lost") if answered else ("lost", "answered")
            return f"request {trip.seq} of the ping was {what[0]} while the probe's around it were all {what[1]}"
    return None


def around(trips: Sequence[Trip], times: Sequence[int], since_ns: int, until_ns: int) -> Sequence[Trip]:
    """The requests from a little before one moment to a little after another; `times` is when they were sent."""
    return trips[bisect_left(times, since_ns - _AROUND_NS) : bisect_right(times, until_ns + _AROUND_NS)]


def _interval_ns(record: Record) -> int:
    return max(1, round((record.info.probe_interval_s or 1.0) * 1e9))


WITNESSES = (
    Witness(
        name="requests sent and captured",
        compares="the requests of the probe in the capture, by number, with the probe's own count",
        needs="`probe_stopped`",
        tolerance="none, but for what waits while the client asks who has the VIP",
        rule=_sent,
    ),
    Witness(
        name="clock of the capture",
        compares="the stamp of each request with the time that its sender wrote into it",
        needs="requests in which that is written: those of the probe, or of iputils' ping",
        tolerance="0.25 ms early; 2 ms late over 5 requests of the probe or 2 of the ping",
        rule=_clock,
    ),
    Witness(
        name="intervals",
        compares="the intervals of `trial.json` with the probe's account and the ping's requests",
        needs="-",
        tolerance="1 µs; a tenth for the ping, which keeps no schedule",
        rule=_intervals,
    ),
    Witness(
        name="transcript and its statistics",
        compares="the replies in the ping's transcript with the statistics at its end",
        needs="the statistics, where there is a transcript",
        tolerance="what three digits say of a time",
        rule=_transcript,
    ),
    Witness(
        name="transcript and capture",
        compares="the ping's transcript with its requests and answers in the capture",
        needs="-",
        tolerance="the last request; a time by 50 ms, which is how late ping may be scheduled",
        rule=_transcript_seen,
    ),
    Witness(
        name="probe and ping",
        compares="the fate of each ping with that of the probe's requests around it",
        needs="-",
        tolerance="150 ms either side, where all requests of the probe must say the other thing",
        rule=_same_outage,
    ),
)
