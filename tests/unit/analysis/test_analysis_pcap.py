"""The capture reader: exact times in every form of the file, and no surprise from a damaged one."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viplab.capture.pcap import Pcap
from viplab.errors import InputError
from viplab.ground_truth.wire import pcap_bytes, pcapng_bytes

START_NS = 1_800_000_000_000_000_000
FRAMES = [
    (1_800_000_000_123_456_789, bytes(60)),
    (1_800_000_000_999_999_999, bytes(range(64))),
    (1_800_000_001_000_000_000, b""),
]
WHOLE = pcap_bytes(FRAMES)
tmp_is_reused = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def kept(path: Path, data: bytes) -> Pcap:
    path.write_bytes(data)
    return Pcap(path)


@pytest.mark.parametrize("order", ["<", ">"])
def test_nanosecond_stamps_are_exact_in_both_byte_orders(tmp_path: Path, order: str) -> None:
    read = list(kept(tmp_path / "x.pcap", pcap_bytes(FRAMES, order)))
    assert [(frame.time_ns, frame.raw) for frame in read] == FRAMES
    assert [frame.no for frame in read] == [1, 2, 3]


@pytest.mark.parametrize("order", ["<", ">"])
def test_microsecond_stamps_are_cut_to_microseconds(tmp_path: Path, order: str) -> None:
    read = list(kept(tmp_path / "x.pcap", pcap_bytes(FRAMES, order, nano=False)))
    assert [frame.time_ns for frame in read] == [time_ns // 1000 * 1000 for time_ns, _ in FRAMES]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "unit_ns"), [(9, 1), (None, 1000), (6, 1000), (3, 1_000_000), (10, 1), (0x80 | 31, 1)]
)
def test_pcapng_stamps_are_exact_in_their_own_unit(
    tmp_path: Path, order: str, resolution: int | None, unit_ns: int
) -> None:
    read = list(kept(tmp_path / "x.pcapng", pcapng_bytes(FRAMES, order, resolution)))
    assert [frame.raw for frame in read] == [raw for _, raw in FRAMES]
    # A power of two does not hit a nanosecond: what it says is at most one earlier.
    off = [time_ns // unit_ns * unit_ns - frame.time_ns for frame, (time_ns, _) in zip(read, FRAMES, strict=True)]
    assert all(0 <= ns <= bool((resolution or 0) & 0x80) for ns in off)


def test_a_second_section_may_have_the_other_byte_order_and_another_clock(tmp_path: Path) -> None:
    both = pcapng_bytes(FRAMES[:1], "<", 9) + pcapng_bytes(FRAMES[1:], ">", 6)
    read = list(kept(tmp_path / "x.pcapng", both))
    assert [frame.time_ns for frame in read] == [FRAMES[0][0], *(time_ns // 1000 * 1000 for time_ns, _ in FRAMES[1:])]
    assert [frame.no for frame in read] == [1, 2, 3]


def test_frames_are_found_across_the_stretches_that_are_read_at_once(tmp_path: Path) -> None:
    frames = [(START_NS + n, bytes([n % 256]) * (n % 1500)) for n in range(4000)]
    for data in (pcap_bytes(frames), pcapng_bytes(frames)):
        read = kept(tmp_path / "x.pcap", data)
        assert [(frame.time_ns, frame.raw) for frame in read] == frames


def test_a_large_capture_does_not_eat_memory(tmp_path: Path) -> None:
    frames = pcap_bytes([(START_NS, bytes(1000))])
    with (tmp_path / "x.pcap").open("wb") as file:
        file.write(frames[:24])
        for _ in range(100):
            file.write(frames[24:] * 1000)
    tracemalloc.start()
    count = sum(len(batch) for batch in Pcap(tmp_path / "x.pcap").batches())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 10_000_000


@tmp_is_reused
@given(length=st.integers(0, len(pcapng_bytes(FRAMES))))
def test_truncated_pcapng_is_tolerated_or_an_input_error(tmp_path: Path, length: int) -> None:
    whole = pcapng_bytes(FRAMES)
    try:
        frames = list(kept(tmp_path / "x.pcapng", whole[:length]))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert frames == list(kept(tmp_path / "x.pcapng", whole))[: len(frames)]


@tmp_is_reused
@given(at=st.integers(0, 400), patch=st.binary(min_size=1, max_size=8))
def test_no_damage_to_pcapng_raises_anything_but_an_input_error(tmp_path: Path, at: int, patch: bytes) -> None:
    whole = pcapng_bytes(FRAMES)
    try:
        list(kept(tmp_path / "x.pcapng", whole[:at] + patch + whole[at + len(patch) :]))
    except InputError as error:
        assert "\n" not in str(error)


def test_a_file_that_ends_within_a_record_gives_the_records_before_it_and_says_so(tmp_path: Path) -> None:
    whole = kept(tmp_path / "x.pcap", WHOLE)
    assert len(list(whole)) == 3
    assert not whole.cut
    torn = kept(tmp_path / "x.pcap", WHOLE[:-20])
    assert len(list(torn)) == 1
    assert torn.cut


@tmp_is_reused
@given(length=st.integers(0, len(WHOLE)))
def test_truncation_anywhere_is_tolerated_or_an_input_error(tmp_path: Path, length: int) -> None:
    try:
        pcap = kept(tmp_path / "x.pcap", WHOLE[:length])
        frames = list(pcap)
    except InputError as error:
        assert str(tmp_path) in str(error)
    else:
        assert frames == list(kept(tmp_path / "x.pcap", WHOLE))[: len(frames)]
        assert pcap.cut == (length not in (24, 24 + 76, 24 + 76 + 80, len(WHOLE)))


@tmp_is_reused
@given(data=st.binary(max_size=200), at=st.integers(0, 200))
def test_no_bytes_raise_anything_but_an_input_error(tmp_path: Path, data: bytes, at: int) -> None:
    try:
        list(kept(tmp_path / "x.pcap", WHOLE[:at] + data))
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a pcap file"),
        (b"PK\x03\x04" + bytes(40), "not a pcap file"),
        (bytes.fromhex("0a0d0d0a") + bytes(40), "no byte order"),
        (WHOLE[:20] + bytes([101, 0, 0, 0]) + WHOLE[24:], "link type 101"),
        (WHOLE[:24] + bytes([0] * 8) + b"\xff\xff\xff\x7f" + bytes(4), "damaged"),
    ],
)
def test_what_is_not_an_ethernet_pcap_is_refused_with_its_path(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        list(kept(tmp_path / "x.pcap", data))
    assert "x.pcap" in str(caught.value)


def test_a_missing_capture_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not captured"):
        Pcap(tmp_path / "none.pcap")
