"""Ping transcripts and syslog lines: both families, both centuries' words, and hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viplab.analysis.logs import read_log
from viplab.analysis.ping import read_ping
from viplab.subjects.keepalived import KEEPALIVED_1, KEEPALIVED_2

ARTICLE = """PING 192.168.122.50 (192.168.122.50) 56(84) bytes of data.
64 bytes from 192.168.122.50: icmp_req=1 ttl=64 time=0.411 ms
64 bytes from 192.168.122.50: icmp_req=2 ttl=64 time=20.1 ms
64 bytes from 192.168.122.50: icmp_req=5 ttl=64 time=0.532 ms
^C
--- 192.168.122.50 ping statistics ---
6 packets transmitted, 3 received, 50% packet loss, time 5000ms
rtt min/avg/max/mdev = 0.411/0.408/20.167/0.088 ms
"""
NEAR_NS = 1_800_000_000_000_000_000


@pytest.mark.parametrize("word", ["icmp_req", "icmp_seq"])
def test_a_transcript_is_read_in_the_words_of_both_years(word: str) -> None:
    view = read_ping(ARTICLE.replace("icmp_req", word))
    assert view is not None
    assert (view.summary.sent, view.summary.received, view.summary.lost_seqs) == (6, 3, [3, 4, 6])
    assert view.summary.rtt_ms is not None
    assert view.summary.rtt_ms.max == 20.167
    assert [reply.seq for reply in view.replies] == [1, 2, 5]
    assert not view.torn


def test_stamped_lines_are_replies_too() -> None:
    view = read_ping("[1795366937.110105] 64 bytes from 192.168.122.50: icmp_seq=1 ttl=64 time=0.447 ms\n")
    assert view is not None
    assert view.replies[0].rtt_ms == 0.447


def test_duplicates_are_not_counted_twice() -> None:
    line = "64 bytes from 192.168.122.50: icmp_seq=1 ttl=64 time=0.4 ms"
    view = read_ping(f"{line}\n{line} (DUP!)\n")
    assert view is not None
    assert view.summary.received == 1


def test_a_torn_transcript_counts_its_lines_and_says_so() -> None:
    view = read_ping(ARTICLE[: ARTICLE.index("^C")])
    assert view is not None
    assert view.torn
    assert (view.summary.sent, view.summary.received, view.summary.lost_seqs) == (5, 3, [3, 4])
    assert view.summary.rtt_ms is None


def test_a_transcript_without_any_reply_is_none_unless_it_has_statistics() -> None:
    assert read_ping("ping: connect: Network is unreachable\n") is None
    lost = read_ping("--- 192.168.122.50 ping statistics ---\n4 packets transmitted, 0 received, 100% packet loss\n")
    assert lost is not None
    assert lost.summary.lost_seqs == [1, 2, 3, 4]


@given(text=st.text(max_size=300), cut=st.integers(0, len(ARTICLE)))
def test_no_transcript_raises(text: str, cut: int) -> None:
    read_ping(text)
    read_ping(ARTICLE[:cut] + text)


def test_the_articles_line_and_todays_line_mean_the_same() -> None:
    old, new = read_log(
        b"Jan 15 08:00:04 centOS-hostB Keepalived_vrrp: VRRP_Instance(VI_1) Entering MASTER STATE\n"
        b"2027-01-15T08:00:04.614597+00:00 centOS-hostB Keepalived_vrrp[409]: (VI_1) Entering MASTER STATE\n",
        NEAR_NS,
    )
    assert KEEPALIVED_1.log_body(old.message) == KEEPALIVED_2.log_body(new.message) == "Entering MASTER STATE"
    assert old.ident == new.ident == "Keepalived_vrrp"
    assert (old.time_ns, old.resolution_ns) == (NEAR_NS + 4_000_000_000, 1_000_000_000)
    assert (new.time_ns, new.resolution_ns) == (NEAR_NS + 4_614_597_000, 1_000)


@pytest.mark.parametrize(("stamp", "year"), [("Dec 31 23:59:59", 2026), ("Jan  1 00:00:01", 2027)])
def test_a_stamp_without_a_year_takes_the_nearest(stamp: str, year: int) -> None:
    new_year_ns = 1_798_761_600_000_000_000
    (line,) = read_log(f"{stamp} h Keepalived: x".encode(), new_year_ns)
    assert line.time_ns == new_year_ns + (-1 if year == 2026 else 1) * 1_000_000_000


def test_invalid_utf8_is_shown_and_a_line_without_stamp_kept() -> None:
    lines = read_log(b"Jan 15 08:00:04 h K: \xff<script>\x1b[31m\n\x00\x01 garbage\n", NEAR_NS)
    assert lines[0].message == "\\xff<script>\x1b[31m"
    assert lines[1].time_ns is None
    assert lines[1].message == "\x00\x01 garbage"


@given(data=st.binary(max_size=200))
def test_no_log_raises(data: bytes) -> None:
    read_log(data, NEAR_NS)
    read_log(b"Jan 15 08:00:04 h K: " + data, NEAR_NS)
    read_log(b"Feb 31 29:61:04.5 h K: " + data, NEAR_NS)
