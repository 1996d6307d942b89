"""vipd beside the distribution's keepalived: the table of docs/vipd.md, from one run, rounds interleaved.

`python benchmarks/bench_vipd.py [--quick]` as root. Everything happens in namespaces of its own. Values are medians
with their number of samples; a ratio is vipd's over keepalived's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from wires import APART, LAYOUT, PAIRS, SUBJECTS, Peer, Subject, advert, config

_PRIORITY = 101

# -- metrics


def excess(peer: Peer, folder: Path, subject: str, version: int, interval_ns: int, samples: int) -> list[float]:
    """Microseconds from the end of the Master_Down_Interval to the first advert, sample by sample."""
    unit_ns = interval_ns if version == 3 else 10**9
    down_ns = 3 * interval_ns + (256 - _PRIORITY) * unit_ns // 256
    routers = 20 if interval_ns >= 10**9 else 1
    running = Subject(subject, config(subject, routers, _PRIORITY, version, f"{interval_ns / 1e9:g}"), folder)
    found: list[float] = []
    try:
        _settled(peer, routers)
        while len(found) < samples:
            sent = {}
            for vrid in range(routers):
                sent[vrid] = peer.send(0, advert(0, vrid, 200, version, interval_ns))
                time.sleep(0.037 if routers > 1 else 0)
            peer_end = (down_ns + 10**8) / 1e9
            for heard in peer.hear(peer_end):
                vrid = heard.vrid - 1
                if vrid in sent and heard.at_ns - sent[vrid] > down_ns // 2:
                    found.append((heard.at_ns - sent.pop(vrid) - down_ns) / 1e3)
                if not sent:
                    break
    finally:
        running.stop()
        peer.flush()
    return found


def cpu_sent(
    peer: Peer, folder: Path, subject: str, routers: int, seconds: float, version: int = 2, interval: str = "1"
) -> list[float]:
    """Microseconds of processor time for each advert sent."""
    running = Subject(subject, config(subject, routers, 255, version, interval), folder)
    try:
        _settled(peer, routers)
        for _ in peer.hear(3):
            pass
        before = running.cpu_ns()
        count = sum(1 for _ in peer.hear(seconds))
        return [(running.cpu_ns() - before) / 1e3 / count]
    finally:
        running.stop()
        peer.flush()


def cpu_received(peer: Peer, folder: Path, subject: str, routers: int, seconds: int) -> list[float]:
    """Microseconds of processor time for each advert received by backups."""
    packets = [advert(0, vrid, 200) for vrid in range(routers)]
    running = Subject(subject, config(subject, routers, _PRIORITY), folder)
    try:
        time.sleep(1.5 + routers / 400)
        before, turn = 0, time.monotonic()
        for number in range(seconds + 2):
            if number == 2:
                before = running.cpu_ns()
            for octets in packets:
                peer.send(0, octets)
            turn += 1
            time.sleep(max(0.0, turn - time.monotonic()))
        used = running.cpu_ns() - before
        assert not [heard for heard in peer.hear(0.01) if heard.priority], "the subject was not backup"
        return [used / 1e3 / (routers * seconds)]
    finally:
        running.stop()
        peer.flush()


def crowd(peer: Peer, folder: Path, subject: str, routers: int, seconds: float) -> dict[str, float]:
    """Many routers at one advert a second: how late, measured as the gap between adverts less one second."""
    running = Subject(subject, config(subject, routers, 255), folder)
    try:
        _settled(peer, routers, limit_s=60)
        for _ in peer.hear(3):
            pass
        last: dict[tuple[int, int], int] = {}
        late = []
        for heard in peer.hear(seconds):
            key = heard.pair, heard.vrid
            if key in last:
                late.append((heard.at_ns - last[key] - 10**9) / 1e6)
            last[key] = heard.at_ns
        return {
            "heard": len(last), "gaps": len(late), "worst_ms": max(late), "over_100_ms": sum(one > 100 for one in late),
            "rss_mb": running.rss_kb() / 1024, "pss_mb": running.pss_kb() / 1024,
        }  # fmt: skip
    finally:
        running.stop()
        peer.flush()


def memory(peer: Peer, folder: Path, subject: str) -> list[float]:
    """MB resident with one router, all processes together."""
    running = Subject(subject, config(subject, 1, 255), folder)
    try:
        _settled(peer, 1)
        return [running.rss_kb() / 1024, running.pss_kb() / 1024]
    finally:
        running.stop()
        peer.flush()


def start(peer: Peer, folder: Path, subject: str) -> list[float]:
    """Milliseconds from exec to the first advert of an owner, which is sent as soon as the daemon can."""
    running = Subject(subject, config(subject, 1, 255), folder)
    try:
        first = next(heard for heard in peer.hear(10))
        return [(first.at_ns - running.started_ns) / 1e6]
    finally:
        running.stop()
        peer.flush()


def false_takeovers(peer: Peer, folder: Path, seconds: float) -> None:
    """Adverts that backups send although their master advertises every 10 ms, with both processors kept busy.

    Both subjects are backups at once, each on a pair of its own, and the same master speaks on both.
    """
    adverts = [advert(pair, 0, 200, 3, 10**7) for pair in range(len(SUBJECTS))]
    running = [
        Subject(subject, config(subject, 1, _PRIORITY, 3, "0.01", real_time=20, first=pair), folder)
        for pair, subject in enumerate(SUBJECTS)
    ]
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(30))  # the master must not be the one that is late
        time.sleep(1)
        for pair, octets in enumerate(adverts):
            peer.send(pair, octets)
        peer.flush()
        begin = turn = sent = time.monotonic()
        worst, false = 0.0, [0] * len(SUBJECTS)
        while turn < begin + seconds:
            for pair, octets in enumerate(adverts):
                peer.send(pair, octets)
            worst, sent = max(worst, time.monotonic() - sent), time.monotonic()
            turn += 0.01
            for heard in peer.hear(max(0.0005, turn - time.monotonic())):
                false[heard.pair] += heard.priority > 0
        there = {heard.pair for heard in peer.hear(0.5) if heard.priority}
        assert len(there) == len(SUBJECTS), "a subject did not take over once the master was silent"
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        for one in busy:
            one.kill()
            one.wait()
        for subject in running:
            subject.stop()
        peer.flush()
    title = f"false takeovers in {seconds:.0f} s, v3 10 ms, busy"
    _say(f"{title:<46} {false[0]:>10} {false[1]:>10}      the master's own longest gap was {worst * 1000:.1f} ms")


# -- the run


def compare(title: str, unit: str, measure: Callable[[str], list[float]], rounds: int) -> None:
    """Measure both subjects in turn, and print a row: medians, their ratio, p99 where there is enough for one."""
    found: dict[str, list[float]] = {subject: [] for subject in SUBJECTS}
    for number in range(rounds):
        for subject in SUBJECTS if number % 2 == 0 else SUBJECTS[::-1]:
            found[subject] += measure(subject)
    theirs, ours = (statistics.median(found[subject]) for subject in SUBJECTS)
    row = f"{title:<46} {theirs:>10.1f} {ours:>10.1f} {unit:<3} {ours / theirs if theirs else float('nan'):>6.2f}x"
    row += f"  n={len(found['vipd'])}"
    if len(found["vipd"]) >= 100:
        p99 = [statistics.quantiles(found[subject], n=100)[98] for subject in SUBJECTS]
        row += f"  p99 {p99[0]:.0f} / {p99[1]:.0f} {unit}, {p99[1] / p99[0]:.2f}x"
    elif len(found["vipd"]) > 1:
        row += f"  range {min(found['vipd']):.1f}-{max(found['vipd']):.1f}"
    _say(row)


def run(folder: Path, quick: bool, busy_s: float) -> None:
    """Print the table."""
    peer = Peer()
    rounds = 1 if quick else 3
    load = os.getloadavg()[0]
    _say(f"{os.cpu_count()} processors, load {load:.2f} at the start, kernel {os.uname().release}")
    _say(f"{'metric':<46} {'keepalived':>10} {'vipd':>10}")
    compare("start to first advert, priority 255", "ms", lambda one: start(peer, folder, one), rounds * 3)
    compare("CPU per advert sent, 1 router", "us", lambda one: cpu_sent(peer, folder, one, 1, 10), rounds)
    # The same code, not a second after it last ran but ten milliseconds: what cold caches cost is the difference.
    compare(
        "CPU per advert sent, 1 router, v3 10 ms", "us",
        lambda one: cpu_sent(peer, folder, one, 1, 5, 3, "0.01"), rounds,
    )  # fmt: skip
    compare("CPU per advert sent, 200 routers", "us", lambda one: cpu_sent(peer, folder, one, 200, 6), rounds)
    compare("CPU per advert received, 200 routers", "us", lambda one: cpu_received(peer, folder, one, 200, 5), rounds)
    compare("deadline excess, 1 s adverts", "us", lambda one: excess(peer, folder, one, 2, 10**9, 20), rounds * 2)
    compare("deadline excess, v3 10 ms adverts", "us", lambda one: excess(peer, folder, one, 3, 10**7, 100), rounds)
    compare("resident memory, 1 router", "MB", lambda one: memory(peer, folder, one)[:1], 1)
    compare("  what is shared counted once", "MB", lambda one: memory(peer, folder, one)[1:], 1)
    for subject in SUBJECTS:
        found = crowd(peer, folder, subject, 1000, 5 if quick else 20)
        _say(
            f"1,000 routers on {PAIRS - 1} pairs, {subject}: {found['heard']:.0f} heard, n={found['gaps']:.0f} gaps, "
            f"worst "
            f"{found['worst_ms']:.1f} ms late, {found['over_100_ms']:.0f} over 100 ms; "
            f"resident {found['rss_mb']:.1f} MB, "
            f"what is shared counted once {found['pss_mb']:.1f} MB",
        )
    if busy_s:
        false_takeovers(peer, folder, busy_s)


def _settled(peer: Peer, routers: int, limit_s: float = 30) -> None:
    """Wait until every router has sent an advert."""
    heard = set()
    for one in peer.hear(limit_s):
        heard.add((one.pair, one.vrid))
        if len(heard) == routers:
            return
    sys.exit(f"bench_vipd: only {len(heard)} of {routers} routers were heard within {limit_s} s")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Build vipd as it is shipped, go into namespaces, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of each")
    parser.add_argument("--busy", type=float, default=0, metavar="SECONDS", help="look for false takeovers that long")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        subprocess.run(["sh", "-c", LAYOUT], check=True)
        run(given.inside, given.quick, given.busy)
        return 0
    if os.geteuid() or not all(map(shutil.which, ("keepalived", "unshare", "ip"))):
        sys.stderr.write("bench_vipd: needs root, keepalived, unshare and ip\n")
        return 69
    from vipd.tools.zipapp import build_zipapp

    with tempfile.TemporaryDirectory() as folder:
        build_zipapp(Path(folder) / "vipd.pyz")
        again = [
            sys.executable,
            __file__,
            "--inside",
            folder,
            *(["--quick"] if given.quick else []),
            "--busy",
            str(given.busy),
        ]
        return subprocess.run([*APART, *again], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
