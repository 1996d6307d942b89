"""Looks for what spoils numbers before anything is measured: how the bridges are set, and what else the machine is at.

`viplab doctor` says what is missing; this says what is there and should not be. Run in a lab's sandbox it reads that
lab's own bridges.
"""

from __future__ import annotations

import array
import fcntl
import json
import os
import shutil
import socket
import statistics
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from viplab.lab import background_lab
from viplab.lab.lab import Lab
from viplab.lab.netns.kind import NETNS
from viplab.observe.ticks import since, steal_share, ticks
from viplab.progress import note
from viplab.store import FREE_MIB, RunStore

SAMPLE_S = 0.5
STEAL_SHARE = 0.02
LOAD_PER_CPU = 0.75
LATE_MS = 1.5
# Read in nanoseconds by the processor itself; all others are a device that has to be asked.
QUICK_CLOCKS = ("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page")
_SIOCETHTOOL = 0x8946
_OFFLOADS = {"tso": 0x1E, "gso": 0x23, "gro": 0x2B}


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing; `ok` is None where it could not be read."""

    name: str
    ok: bool | None
    detail: str
    advice: str = ""


def examine_machine(runs: RunStore) -> list[Finding]:
    """What concerns the machine, before a lab is up, and where runs are kept; takes most of a second."""
    return [*(finding for check in _MACHINE for finding in check()), _disk(runs)]


def examine_bridges(lab: Lab) -> list[Finding]:
    """What concerns the lab's bridges; to be called in the lab."""
    bridges = [network.bridge for network in lab.networks.values()]
    return [finding for check in _BRIDGES for finding in check(bridges)]


def main(runs: RunStore, *, as_json: bool, say: Callable[[str], None]) -> int:
    """`viplab preflight`: the machine, and bridges made as a lab makes them; returns the exit status."""
    findings = examine_machine(runs)
    findings = [*NETNS.open(examine_bridges), *findings]
    if as_json:
        say(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            mark = {True: "ok", False: "!!", None: "??"}[finding.ok]
            say(f"{mark}  {finding.name}: {finding.detail}" + (f"; {finding.advice}" if finding.advice else ""))
    return 1 if any(finding.ok is False for finding in findings) else 0


def record(findings: list[Finding], path: Path) -> None:
    """Keep the findings, and tell the user of those that are not well."""
    path.write_text(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n", encoding="utf-8")
    for finding in findings:
        if finding.ok is False:
            note(f"preflight: {finding.name}: {finding.detail}; {finding.advice}")


def _spanning_tree(bridges: list[str]) -> Iterator[Finding]:
    for bridge in bridges:
        folder = Path("/sys/class/net") / bridge / "bridge"
        try:
            stp, delay = (int((folder / name).read_text()) for name in ("stp_state", "forward_delay"))
        except OSError:
            yield Finding(f"STP on {bridge}", None, "there is no such bridge")
            continue
        advice = "a port that comes back would wait, and that would be measured as failover time"
        ok = stp == 0 and delay == 0
        yield Finding(
            f"STP on {bridge}",
            ok,
            f"{'on' if stp else 'off'}, forward delay {delay / 100:g} s",
            "" if ok else advice,
        )


def _bridge_netfilter(bridges: list[str]) -> Iterator[Finding]:
    folder = Path("/proc/sys/net/bridge")
    on = [path.name for path in sorted(folder.glob("bridge-nf-call-*")) if path.read_text().strip() != "0"]
    said = "not loaded" if not folder.is_dir() else f"on for {', '.join(on)}" if on else "off"
    ok = not on
    yield Finding("bridge netfilter", ok, said, "" if ok else "`sysctl -w net.bridge.bridge-nf-call-iptables=0`")


def _offloads(bridges: list[str]) -> Iterator[Finding]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for bridge in bridges:
            on = [word for word, command in _OFFLOADS.items() if _ethtool(asker, bridge, command)]
            # They join segments of TCP, and of UDP where a receiver asks for it. Adverts, ARP, echoes are left alone.
            yield Finding(f"offloads on {bridge}", True, f"{', '.join(on) or 'none'} on; the probes are not merged")


def _clock_source() -> Iterator[Finding]:
    path = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    name = path.read_text().strip() if path.exists() else ""
    ok = name in QUICK_CLOCKS if name else None
    advice = "reading it takes microseconds; boot with clocksource=tsc if the processor's is stable"
    yield Finding("clock source", ok, name or "unknown", "" if ok else advice)


def _wake_up() -> Iterator[Finding]:
    late_ms = []
    for _ in range(50):
        due = time.monotonic() + 0.002
        time.sleep(0.002)
        late_ms.append((time.monotonic() - due) * 1000)
    median, worst = statistics.median(late_ms), max(late_ms)
    ok = median < LATE_MS
    advice = "the kernel's tick is coarse or the machine is busy: what is sent on schedule will be late by as much"
    yield Finding("waking up", ok, f"{median:.2f} ms late, {worst:.2f} ms at worst of 50", "" if ok else advice)


def _load() -> Iterator[Finding]:
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    ok = load / cpus <= LOAD_PER_CPU
    yield Finding("load", ok, f"{load:.2f} on {cpus} processors", "" if ok else "wait until the machine is idle")


def _steal() -> Iterator[Finding]:
    before = ticks()
    time.sleep(SAMPLE_S)
    share = steal_share(since(before))
    ok = share <= STEAL_SHARE
    advice = "another guest of the machine below takes this one's processors"
    yield Finding("stolen time", ok, f"{share:.1%} of the last {SAMPLE_S:g} s", "" if ok else advice)


def _disk(runs: RunStore) -> Finding:
    place = next(path for path in (runs.root, *runs.root.parents) if path.exists())
    free_mib = shutil.disk_usage(place).free // 2**20
    ok = free_mib >= FREE_MIB
    return Finding("free disk", ok, f"{free_mib} MiB for runs", "" if ok else f"a run wants {FREE_MIB} MiB")


def _other_labs() -> Iterator[Finding]:
    lab = background_lab.find()
    left = [str(path) for path in background_lab.leftovers()] if os.geteuid() == 0 else []
    said = [f"one is up (process {lab.pid})"] if lab else []
    said += [f"left over: {', '.join(left)}"] if left else []
    advice = "`viplab down` ends the lab, `viplab clean` removes what is left"
    yield Finding("other labs", not said, "; ".join(said) or "none", advice if said else "")


_BRIDGES: tuple[Callable[[list[str]], Iterator[Finding]], ...] = (_spanning_tree, _bridge_netfilter, _offloads)
_MACHINE: tuple[Callable[[], Iterator[Finding]], ...] = (_clock_source, _wake_up, _load, _steal, _other_labs)


def _ethtool(asker: socket.socket, interface: str, command: int) -> bool:
    """One yes-or-no setting of a card (ethtool_value), False where the card does not know it."""
    value = array.array("I", [command, 0])
    request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
    try:
        fcntl.ioctl(asker, _SIOCETHTOOL, request)
    except OSError:
        return False
    return bool(value[1])
