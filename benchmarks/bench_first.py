"""The first takeover of a process, its start and its memory: vipd beside keepalived, from one run, rounds interleaved.

`python benchmarks/bench_first.py [--rounds N] [--only PART ...]` as root. Each takeover is the first of a process of
its own, which has heard its master once a second, in a network namespace of its own. How late it is counts from the end
of the Master_Down_Interval to the kernel's time stamp of the advert at the other end of the wire; `least` says whether
one was early. A ratio is vipd's over keepalived's. Figures are medians and 95th percentiles.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wires import APART, SUBJECTS, Peer, Subject, advert, config, layout

_PRIORITY = 101
_DOWN_NS = 3 * 10**9 + (256 - _PRIORITY) * 10**9 // 256
_HOSTS = 10
_APART_S = 0.09  # between the deadlines of a round, so that none of them disturbs another
_ADVERTS = 3
_CROWD = 200
_REAL_TIME = 20

Found = dict[str, list[float]]


def first_takeovers(peer: Peer, folder: Path, real_time: int) -> Found:
    """Microseconds that ten processes were late with their first takeover, five of each subject in turn."""
    subjects = [SUBJECTS[host % 2] for host in range(_HOSTS)]
    running = [
        Subject(name, config(name, 1, _PRIORITY, real_time=real_time, first=host), folder, f"host{host}")
        for host, name in enumerate(subjects)
    ]
    found: Found = {name: [] for name in SUBJECTS}
    try:
        for one in running:
            one.wait_for_backup()
        sent, turn = {}, time.monotonic()
        for _ in range(_ADVERTS):
            for host in range(_HOSTS):
                sent[host] = peer.send(host, advert(host, 0, 200))
                turn += _APART_S
                time.sleep(max(0.0, turn - time.monotonic()))
            turn += 1 - _HOSTS * _APART_S
            time.sleep(max(0.0, turn - time.monotonic()))
        for heard in peer.hear(_DOWN_NS / 1e9 + 0.5):
            if heard.pair in sent:
                late_us = (heard.at_ns - sent.pop(heard.pair) - _DOWN_NS) / 1e3
                # On a busy machine one became master while others started, and has spoken before it heard anybody.
                found[subjects[heard.pair]] += [late_us] if late_us > -_DOWN_NS / 2e3 else []
            if not sent:
                break
    finally:
        for one in running:
            one.stop()
        peer.flush()
    return found


def crowd(peer: Peer, folder: Path, subject: str) -> list[float]:
    """Microseconds that each of many routers of one process was late, all due together and for the first time."""
    packets = [advert(0, vrid, 200) for vrid in range(_CROWD)]
    running = Subject(subject, config(subject, _CROWD, _PRIORITY, real_time=_REAL_TIME), folder, "host0")
    found = []
    try:
        running.wait_for_backup(_CROWD)
        sent = {}
        for _ in range(_ADVERTS):
            turn = time.monotonic() + 1
            for vrid, octets in enumerate(packets):
                sent[vrid] = peer.send(0, octets)
            time.sleep(max(0.0, turn - time.monotonic()))
        for heard in peer.hear(_DOWN_NS / 1e9 + 1):
            if heard.vrid - 1 in sent:
                found.append((heard.at_ns - sent.pop(heard.vrid - 1) - _DOWN_NS) / 1e3)
            if not sent:
                break
    finally:
        running.stop()
        peer.flush()
    return [late_us for late_us in found if late_us > -_DOWN_NS / 2e3]


def owner(peer: Peer, folder: Path, subject: str) -> tuple[float, float, float]:
    """Milliseconds from exec to the first advert of an owner; MB of its own, and with its part of what is shared."""
    running = Subject(subject, config(subject, 1, 255), folder, "host0")
    try:
        first = next(peer.hear(10))
        time.sleep(0.5)
        return (first.at_ns - running.started_ns) / 1e6, running.uss_kb() / 1024, running.pss_kb() / 1024
    finally:
        running.stop()
        peer.flush()


@contextmanager
def busy_processors() -> Iterator[None]:
    """Keep every processor busy, but not the master: it must not be the one that is late."""
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_REAL_TIME + 10))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        for one in load:
            one.kill()
            one.wait()


# -- the run


def start_rows(peer: Peer, folder: Path, rounds: int) -> None:
    """Print start and memory."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in SUBJECTS}
    for number in range(rounds):
        for name in _turn(number):
            found[name].append(owner(peer, folder, name))
    titles = ("start to first advert of an owner, ms", "memory of its own, 1 instance, MB", "  with its part of shared")
    for place, title in enumerate(titles):
        row(title, {name: [one[place] for one in found[name]] for name in SUBJECTS})


def takeover_row(peer: Peer, folder: Path, rounds: int, title: str, real_time: int = 0) -> None:
    """Print the first takeover of processes with one router."""
    found: Found = {name: [] for name in SUBJECTS}
    for _ in range(rounds):
        for subject, values in first_takeovers(peer, folder, real_time).items():
            found[subject] += values
    row(title, found)


def busy_row(peer: Peer, folder: Path, rounds: int) -> None:
    """Print the same where every processor is busy."""
    with busy_processors():
        takeover_row(peer, folder, rounds, "  with vrrp_rt_priority, processors busy, us", _REAL_TIME)


def crowd_row(peer: Peer, folder: Path, rounds: int) -> None:
    """Print the first takeover of many routers together."""
    found: Found = {name: [] for name in SUBJECTS}
    for number in range(max(1, rounds // 4)):
        for subject in _turn(number):
            found[subject] += crowd(peer, folder, subject)
    row(f"  {_CROWD} instances due together, the same, us", found)


PARTS = {
    "start": start_rows,
    "takeover": lambda *given: takeover_row(*given, "first takeover, us"),
    "realtime": lambda *given: takeover_row(*given, "  with vrrp_rt_priority, us", _REAL_TIME),
    "busy": busy_row,
    "crowd": crowd_row,
}


def row(title: str, found: Found) -> None:
    """Print medians, 95th percentiles and their ratios."""
    line = f"{title:<46}"
    for statistic in (statistics.median, _p95):
        theirs, ours = (statistic(found[name]) for name in SUBJECTS)
        line += f" {theirs:>11.2f} {ours:>11.2f} {ours / theirs:>6.2f}x"
    least = " / ".join(f"{min(found[name]):.2f}" for name in SUBJECTS)
    _say(f"{line}  least {least}  n={' / '.join(str(len(found[name])) for name in SUBJECTS)}")


def _turn(number: int) -> tuple[str, ...]:
    return SUBJECTS if number % 2 == 0 else SUBJECTS[::-1]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[18] if len(values) > 1 else values[0]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Build vipd as it is shipped, go into namespaces, run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="of five takeovers of each subject")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        subprocess.run(["sh", "-c", layout(_HOSTS)], check=True)
        peer = Peer(_HOSTS)
        _say(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.2f} at the start, kernel {os.uname().release}")
        _say(f"{'':<46} {'keepalived':>11} {'vipd':>11}  ratio {'p95':>11} {'p95':>11}  ratio")
        for part in given.only:
            PARTS[part](peer, given.inside, given.rounds)
        return 0
    if os.geteuid() or not all(map(shutil.which, ("keepalived", "unshare", "ip"))):
        sys.stderr.write("bench_first: needs root, keepalived, unshare and ip\n")
        return 69
    from vipd.tools.zipapp import build_zipapp

    with tempfile.TemporaryDirectory() as folder:
        build_zipapp(Path(folder) / "vipd.pyz")
        again = [sys.executable, __file__, *sys.argv[1:], "--inside", folder]
        return subprocess.run([*APART, *again], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
