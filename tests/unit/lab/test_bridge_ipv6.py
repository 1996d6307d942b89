"""What a bridge had of IPv6, as a link's alias keeps it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from viplab.lab.bridge_ipv6 import SETTINGS, Before, parse_before

BEFORE = st.builds(
    Before,
    bridge=st.from_regex("[a-z]{1,8}[0-9]?", fullmatch=True),
    settings=st.tuples(*[st.integers(-1, 2)] * len(SETTINGS)),
    without=st.lists(st.ip_addresses(v=6).map("{}/64".format), max_size=2).map(tuple),
)


@given(BEFORE)
def test_what_a_bridge_had_is_read_as_it_was_written(before: Before) -> None:
    assert parse_before(before.words) == before


@given(BEFORE, st.integers(0, len(SETTINGS)), st.integers(1, len(SETTINGS)), st.text(max_size=6))
def test_an_alias_that_was_not_written_so_says_nothing_of_a_bridge(
    before: Before, length: int, at: int, word: str
) -> None:
    words = before.words
    assert parse_before(words[:length]) is None
    assert parse_before([*words[:at], f"x{word}", *words[at + 1 :]]) is None
    assert parse_before([*words, f"x{word}"]) is None
