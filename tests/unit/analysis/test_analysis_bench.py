"""The analyser's benchmark: every reader reads the same file; how fast is for the bench to print, not for a test."""

from __future__ import annotations

import bench_analyser


def test_every_reader_sees_every_packet_and_is_printed() -> None:
    rows = bench_analyser.bench(packets=2000, rounds=1)
    assert [row.reader for row in rows][:4] == [
        "ours: index",
        "ours: index and meaning",
        "scapy RawPcapReader",
        "scapy PcapReader",
    ]
    assert all(row.reader in bench_analyser.table(rows) for row in rows)
