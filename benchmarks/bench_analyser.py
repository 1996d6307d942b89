"""How fast captures are read: ours beside scapy's raw reader, scapy's full reader and `tshark -T fields`.

All read the same file in turn, round by round, so that a busy moment of the machine meets each of them; printed are
medians, and each reader's time as a multiple of ours. `python benchmarks/bench_analyser.py [PACKETS] [ROUNDS]`
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scapy.utils import PcapReader, RawPcapReader

from viplab.capture.dissect import meanings
from viplab.capture.pcap import Pcap
from viplab.ground_truth import wire

# scapy's full reader takes a third of a millisecond a packet: it gets this share of the file.
_SCAPY_SHARE = 20
_A, _B, _CLIENT = "52:54:00:03:ba:f2", "52:54:00:56:c3:f4", "52:54:00:41:29:4f"
_TSHARK = ["tshark", "-n", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "eth.src", "-r"]


@dataclass(frozen=True, slots=True)
class Row:
    """One reader's result: packets a second (median of the rounds), and our index's speed as a multiple of it."""

    reader: str
    packets_per_s: float
    ratio: float
    rounds: int


def capture(path: Path, packets: int) -> None:
    """Write a capture as a lab's bridge shows it: probe and answers, now and then ARP, adverts, and foreign bulk."""
    kinds = [
        *[wire.echo((_CLIENT, _A), ("192.168.122.2", "192.168.122.50"), 7, 1, request=True)] * 40,
        *[wire.echo((_A, _CLIENT), ("192.168.122.50", "192.168.122.2"), 7, 1, request=False)] * 40,
        wire.arp(_B, wire.BROADCAST, 1, "192.168.122.50", wire.BROADCAST, "192.168.122.50"),
        wire.advert(_A, "10.10.10.11", ["192.168.122.50"]),
        *[wire.tcp((_A, _CLIENT), ("192.168.122.11", "192.168.122.1"), bytes(400))] * 18,
    ]
    frames = ((1_800_000_000_000_000_000 + n * 250_000, kinds[n % len(kinds)]) for n in range(packets))
    path.write_bytes(wire.pcap_bytes(frames))


def bench(packets: int = 400_000, rounds: int = 5) -> list[Row]:
    """Time all readers that are there on one generated file."""
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole.pcap", Path(folder) / "part.pcap"
        capture(whole, packets)
        capture(part, packets // _SCAPY_SHARE)
        readers: dict[str, tuple[Callable[[], int], int]] = {
            "ours: index": (lambda: sum(len(batch) for batch in Pcap(whole).batches()), packets),
            "ours: index and meaning": (lambda: sum(1 for b in Pcap(whole).batches() for _ in meanings(b)), 0),
            "scapy RawPcapReader": (lambda: sum(1 for _ in RawPcapReader(str(whole))), packets),
            "scapy PcapReader": (lambda: sum(1 for _ in PcapReader(str(part))), packets // _SCAPY_SHARE),
        }
        if shutil.which("tshark"):
            readers["tshark -T fields"] = (lambda: _tshark(whole), packets)
        speeds: dict[str, list[float]] = {name: [] for name in readers}
        for _ in range(rounds):
            for name, (read, expected) in readers.items():
                begin = time.perf_counter()
                count = read()
                seconds = time.perf_counter() - begin
                if expected and count != expected:
                    raise RuntimeError(f"{name} saw {count} packets of {expected}")
                speeds[name].append((expected or packets) / seconds)
    ours = statistics.median(speeds["ours: index"])
    return [Row(name, median := statistics.median(seen), ours / median, rounds) for name, seen in speeds.items()]


def table(rows: list[Row]) -> str:
    """The result as lines to print."""
    lines = [f"{'reader':28}{'packets/s':>12}{'index is':>12}  (medians of {rows[0].rounds} rounds, interleaved)"]
    lines += [f"{row.reader:28}{row.packets_per_s:>12,.0f}{row.ratio:>10.1f} x" for row in rows]
    return "\n".join(lines)


def _tshark(path: Path) -> int:
    done = subprocess.run([*_TSHARK, str(path)], capture_output=True, check=True)
    return done.stdout.count(b"\n")


if __name__ == "__main__":
    print(table(bench(*map(int, sys.argv[1:]))))  # noqa: T201 - a program of its own
