"""The capture reader: exact times in every form of the file, and no surprise from a damaged one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import pcap_bytes

from viplab.analysis.pcap import Pcap
from viplab.errors import InputError

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
        (bytes.fromhex("0a0d0d0a") + bytes(40), "pcapng"),
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
