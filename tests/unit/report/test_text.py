"""Rules of untrusted text, of numbers, and of what is cut from an exhibit."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import report_sample as sample
from support.report_evidence import log
from viplab.report import excerpts, units
from viplab.report.text import LINE_LIMIT, middle_out, visible

ANY_TEXT = st.text(st.characters(), max_size=200)


@given(ANY_TEXT)
def test_nothing_but_tab_and_line_feed_controls_what_shows_it(text: str) -> None:
    for char in visible(text):
        assert char in "\t\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(ANY_TEXT)
def test_visible_text_is_utf8(text: str) -> None:
    visible(text).encode()


@given(ANY_TEXT)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text("abc ", max_size=3 * LINE_LIMIT))
def test_no_line_is_longer_than_the_limit_and_its_note(text: str) -> None:
    assert all(len(line) <= LINE_LIMIT + 40 for line in visible(text).split("\n"))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[2J", "\u241b[2J"),
        ("a\x00b\x7f", "a\u2400b\u2421"),
        ("\x9b31m", "<U+009B>31m"),
        ("\u202eevil", "<U+202E>evil"),
        ("soft\u00adhyphen", "soft<U+00AD>hyphen"),
        ("\udc80", "\ufffd"),
        ("line\r\n", "line\n"),
        ("over\rwritten", "over\u240dwritten"),
        ("Grüße, 漢字 ✓ µs", "Grüße, 漢字 ✓ µs"),
    ],
)
def test_controls_are_shown_by_name_and_letters_as_they_are(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_a_cut_says_how_much_is_missing() -> None:
    assert visible("x" * 12, limit=10) == "x" * 10 + " … (cut: 2 more characters)"


@given(st.lists(st.just("line"), max_size=60), st.integers(0, 20), st.integers(0, 20))
def test_middle_out_never_lengthens(lines: list[str], head: int, tail: int) -> None:
    kept = middle_out(lines, head, tail)
    assert len(kept) <= max(len(lines), head + tail + 1)
    assert kept == lines or kept[head] == f"... ({len(lines) - head - tail} lines left out)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None), (0.0, "0 s"), (42e-6, "42 µs"), (0.00064, "640 µs"), (0.0201, "20.1 ms"), (0.605, "605 ms"),
        (3.60546875, "3.605 s"), (12.3456, "12.35 s"), (123.456, "123.5 s"), (-0.00142, "−1.42 ms"),
        (0.99951, "1.000 s"),
    ],
)  # fmt: skip
def test_a_duration_has_the_unit_that_suits_it(value: float | None, shown: str | None) -> None:
    assert units.seconds(value) == (shown and shown.replace(" ", "\u00a0"))


@given(st.floats(1e-6, 1e5))
def test_a_duration_is_within_half_a_percent_of_its_value(value: float) -> None:
    shown = units.seconds(value)
    assert shown is not None
    number, unit = shown.split("\u00a0")
    assert float(number) * {"s": 1, "ms": 1e-3, "µs": 1e-6}[unit] == pytest.approx(value, rel=0.005, abs=0.5e-6)


@pytest.mark.parametrize(
    ("bounds", "shown"),
    [((2.605, 3.605), "2.605 to 3.605 s"), ((0.0, 0.02), "0 to 20 ms"), ((3.0, 3.0), "3.000 s"), ((0.0, 0.0), "0 s")],
)
def test_a_range_has_one_unit(bounds: tuple[float, float], shown: str) -> None:
    assert units.span(bounds) == shown.replace(" s", "\u00a0s").replace(" ms", "\u00a0ms")


def test_an_aggregate_says_its_number_of_trials_and_leaves_out_what_was_not_measured() -> None:
    assert units.sample([1.0, None, 3.0]) == ("2.000\u00a0s", "n\u00a0=\u00a02 of 3\n1 to 3\u00a0s")
    assert units.sample([None, None]) == (None, "")
    assert units.sample([1.5]) == ("1.500\u00a0s", "")


def test_a_transcript_keeps_the_replies_around_a_loss() -> None:
    trial = sample.trial("case-c", outage_s=4.2)
    assert trial.ping is not None
    lost = trial.ping.summary.lost_seqs
    excerpt = excerpts.ping_excerpt(trial)
    assert f"icmp_seq={lost[0] - 1} " in excerpt
    assert f"icmp_seq={lost[-1] + 1} " in excerpt
    assert "packets transmitted" in excerpt
    assert "..." in excerpt.split("\n")
    assert "icmp_seq=30 " not in excerpt


def test_a_transcript_without_loss_keeps_the_reply_at_the_switch() -> None:
    assert "time=20.1 ms" in excerpts.ping_excerpt(sample.trial("case-a"))


def test_equal_frames_of_a_burst_are_drawn_together() -> None:
    rows = excerpts.frames_excerpt(sample.trial().frames)
    assert [row.text for row in rows if isinstance(row, excerpts.Omission)] == ["and 4 more like it, within 40\u00a0µs"]


def test_logs_begin_a_little_before_the_fault_and_say_what_came_before() -> None:
    rows = excerpts.merged_logs(sample.trial())
    assert rows[0] == excerpts.Omission("3\u00a0earlier lines, of the set-up")
    assert excerpts.Omission not in [type(row) for row in rows[1:]]


def test_many_frames_are_cut_to_those_that_are_marked_and_their_neighbours() -> None:
    frame = sample.trial().frames[0].model_copy(update={"mark": None})
    frames = [frame.model_copy(update={"no": number, "info": str(number)}) for number in range(500)]
    frames[250] = frames[250].model_copy(update={"mark": "here"})
    rows = excerpts.frames_excerpt(frames)
    assert [row.no for row in rows if not isinstance(row, excerpts.Omission)] == [248, 249, 250, 251, 252]
    assert (rows[0], rows[-1]) == (excerpts.Omission("248 rows left out"), excerpts.Omission("247 rows left out"))


def test_logs_of_both_hosts_are_merged_by_time_and_an_undated_line_stays_behind_its_neighbour() -> None:
    logs = {
        "A": [log("A", 1.0, "one"), log("A", None, "undated"), log("A", 3.0, "three")],
        "B": [log("B", 2.0, "two")],
    }
    rows = excerpts.merged_logs(sample.trial(logs=logs))
    messages = [line.message for line in rows if not isinstance(line, excerpts.Omission)]
    assert messages == ["one", "undated", "two", "three"]


def test_a_configuration_marks_the_lines_that_the_other_host_does_not_have() -> None:
    a, b = excerpts.configurations(sample.trial())
    assert (a.host, b.host, a.name) == ("A", "B", "keepalived.conf")
    assert [line.text.strip() for line in a.lines or [] if line.differs] == ["state MASTER", "priority 102"]


def test_lost_numbers_in_a_row_are_drawn_together() -> None:
    assert excerpts.sequences([9, 10, 11, 12, 40]) == "9 to 12, 40"
