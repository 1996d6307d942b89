from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from viplab.lab.netns.init import forms

AT_NS = 1_315_738_504_000_123_456  # 2011-09-11 10:55:04.000123 UTC


def test_a_line_is_written_as_the_article_s_syslog_did_and_with_microseconds() -> None:
    line = b"<142>Sep 11 10:55:03 Keepalived_vrrp: VRRP_Instance(VI_1) Transition to MASTER STATE"
    rest = b"centOS-hostB Keepalived_vrrp: VRRP_Instance(VI_1) Transition to MASTER STATE\n"
    traditional, precise = forms(line, "centOS-hostB", AT_NS)
    assert traditional == b"Sep 11 10:55:04 " + rest
    assert precise == b"2011-09-11T10:55:04.000123+00:00 " + rest


@given(st.binary(max_size=200))
def test_whatever_is_logged_stays_one_line(line: bytes) -> None:
    for form in forms(line, "h", AT_NS):
        assert form.count(b"\n") == 1
        assert form.endswith(b"\n")
