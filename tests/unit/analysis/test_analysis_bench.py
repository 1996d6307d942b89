"""The analyser's benchmark: every reader reads the same file; how fast is for the bench to print, not for a test."""

from __future__ import annotations

import importlib

import pytest
import synthetic as s


def test_every_reader_sees_every_packet_and_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(s.REPOSITORY / "benchmarks"))
    bench = importlib.import_module("bench_analyser")
    rows = bench.bench(packets=2000, rounds=1)
    assert [row.reader for row in rows][:4] == [
        "ours: index",
        "ours: index and meaning",
        "scapy RawPcapReader",
        "scapy PcapReader",
    ]
    assert all(row.reader in bench.table(rows) for row in rows)
