"""Echo requests and their answers as round trips, and the runs of those that were lost."""

from __future__ import annotations

from support import synthetic as s
from viplab.analysis.streams import Trip, loss_runs, round_trips
from viplab.capture.dissect import decode
from viplab.capture.frames import Echo
from viplab.capture.index import Frame


def test_a_request_in_flight_at_the_end_is_not_lost() -> None:
    echoes = [s.echo(s.CLIENT_MAC, s.MAC["A"], s.CLIENT_IP, s.VIP, 8, 1, seq) for seq in (1, 2)]
    seen = [m for m in decode(Frame(n, n * s.S, 98, raw) for n, raw in enumerate(echoes)) if isinstance(m, Echo)]
    assert [trip.seq for trip in round_trips(seen, s.CLIENT_IP, s.VIP, s.S + 1)] == [1]
    assert [trip.seq for trip in round_trips(seen, s.CLIENT_IP, s.VIP, 2 * s.S)] == [1, 2]


def test_gaps_run_from_the_first_lost_to_the_first_answered_request() -> None:
    trips = [Trip(seq, seq * 10, None if seq in (2, 3, 5, 7) else 1, None) for seq in range(1, 8)]
    assert [(run.start_ns, run.end_ns, run.lost) for run in loss_runs(trips)] == [
        (20, 40, 2),
        (50, 60, 1),
        (70, None, 1),
    ]


def test_numbers_that_never_reached_the_wire_are_lost_requests() -> None:
    def request(seq: int, at: int) -> Echo:
        raw = s.echo(s.CLIENT_MAC, s.MAC["A"], s.CLIENT_IP, s.VIP, 8, 1, seq & 0xFFFF)
        (seen,) = decode([Frame(1, at, 98, raw)])
        assert isinstance(seen, Echo)
        return seen

    trips = round_trips([request(65534, 0), request(65538, 4 * s.MS), request(3, 5 * s.MS)], s.CLIENT_IP, s.VIP, s.S)
    assert [(trip.seq, trip.sent_ns) for trip in trips] == [
        (65534, 0), (65535, s.MS), (0, 2 * s.MS), (1, 3 * s.MS), (2, 4 * s.MS), (3, 5 * s.MS)
    ]  # fmt: skip
    # A jump that no probe could have made is another program's number.
    assert len(round_trips([request(1, 0), request(30_000, s.MS)], s.CLIENT_IP, s.VIP, s.S)) == 2
