"""The trials: how failovers and returns go with both families of daemon, and what an analyser is easily wrong about.

Each states its answers from the moments that it was made of, by integer arithmetic; none is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from viplab.ground_truth.maker import (
    BROADCAST,
    CENSUS_EVERY,
    CLIENT_IP,
    CLIENT_MAC,
    MAC,
    MS,
    PROBE_FROM,
    SKEW_NS,
    START_NS,
    VIP,
    S,
    Trial,
    arp,
    carp,
)

# By what the daemons' takeover timer is late; what the kernel takes to tell of a neighbour; a round trip.
LATE = 2_000_001
SWITCH = 150_000
ROUND_TRIP = 300_000
# How long a recovery must hold.
SUSTAINED = 5 * S


def _ceil(value: int, step: int) -> int:
    return -(-value // step)


def _first_answer(trial: Trial, since: int) -> int:
    """The answer to the first request of either stream from a moment on."""
    probe = PROBE_FROM + _ceil(since - PROBE_FROM, trial.probe_interval) * trial.probe_interval
    ping = trial.ping_from + _ceil(since - trial.ping_from, S) * S
    answers = [probe + ROUND_TRIP]
    if trial.ping_to is None or ping < trial.ping_to:
        answers.append(ping + trial.slow.get(ping, ROUND_TRIP))
    return min(answers)


def _dead(trial: Trial, fault: int, spans: Sequence[tuple[int, int]], prefix: str = "") -> None:
    """State what the stream shows of times without an answer, in order, that end before the stream does."""
    lost = [trial.sent_between(begin, end) for begin, end in spans]
    resumed = [PROBE_FROM + _ceil(end - PROBE_FROM, trial.probe_interval) * trial.probe_interval for _, end in spans]
    begun = [PROBE_FROM + _ceil(begin - PROBE_FROM, trial.probe_interval) * trial.probe_interval for begin, _ in spans]
    following = [*begun[1:], trial.end][: len(spans)]
    held = [end - fault for end, after in zip(resumed, following, strict=True) if after - end >= SUSTAINED]
    trial.truth |= {
        prefix + "lost": sum(lost),
        prefix + "outage_s": sum(lost) * trial.probe_interval,
        prefix + "outage_loss_s": sum(lost) * trial.probe_interval,
        prefix + "recovered_s": held[0] if spans else 0,
        prefix + "loss_runs": sum(count > 0 for count in lost),
    }


def _takeover(trial: Trial, fault: int, first: int, garp: int, *, prefix: str = "", event: str = "failover") -> None:
    """State what the adverts, the announcement and the answers of the new master show."""
    answer = _first_answer(trial, garp + SWITCH) - fault
    trial.truth |= {
        prefix + "detection_s": first - fault,
        prefix + "announce_s": garp - first,
        prefix + "client_switch_s": SWITCH,
        prefix + "deadline_excess_s": LATE if event == "failover" else None,
        prefix + "failover_s": answer if event == "failover" else None,
        prefix + "reversion_s": answer if event == "reversion" else None,
        prefix + "answered_twice": 0,
    }


def _two_owners(trial: Trial, since: int) -> None:
    """State for how long the census sees two: from its first look on."""
    trial.truth["dual_owner_s"] = trial.end - _ceil(since, CENSUS_EVERY) * CENSUS_EVERY


def daemon_dies(family: str, second_burst: int = 5 * S) -> Trial:
    """A's daemon is killed 0.4 s after its advert at 10 s; its kernel goes on answering."""
    trial = Trial("daemon-dies", family, "B", second_burst=second_burst)
    last = trial.adverts("A", 0, 10 * S + 1)
    trial.fault("kill", "A", last + 400 * MS, marker="token-a")
    first = last + 3 * S + SKEW_NS[101] + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (garp + SWITCH, "B")]
    trial.owning = [(0, ("A",)), (garp, ("A", "B"))]
    _resolve(trial, garp)
    fault = last + 400 * MS
    _takeover(trial, fault, first, garp)
    _dead(trial, fault, [])
    _two_owners(trial, garp)
    trial.truth |= {"x_s": 400 * MS, "priority_zero": 0, "second_burst_s": second_burst}
    return trial


def _resolve(trial: Trial, garp: int) -> None:
    """The new master asks for the client within the first round trip of the ping after its announcement."""
    sent = trial.ping_from
    while sent < garp + SWITCH:
        sent += S
    trial.slow[sent] = 20_100_000
    frames = trial.frames["public"]
    frames.append((sent + 200_000, arp(MAC["B"], BROADCAST, 1, VIP, "00:00:00:00:00:00", CLIENT_IP)))
    frames.append((sent + 250_000, arp(CLIENT_MAC, MAC["B"], 2, CLIENT_IP, MAC["B"], VIP)))


def daemon_returns(family: str) -> Trial:
    """A's daemon returns at 20 s; 1.2.2 claims at B's next advert and leaves a gap, 2.x waits and leaves none."""
    trial = Trial("daemon-returns", family, "A")
    trial.fault("kill", "A", 0, phase="setup")
    trial.fault("bring_back", "A", 20 * S + 300 * MS)
    first = 21 * S + 50 * MS if family == "keepalived-1.2.2" else 24 * S + 100 * MS
    trial.adverts("B", 0, first)
    garp = trial.takeover("A", first, trial.end)
    words = ("Received higher prio advert", "Entering BACKUP STATE", "removing protocol VIPs.")
    if family == "keepalived-2":
        words = (
            "Master received advert from 10.10.10.11 with higher priority 102, ours 101",
            words[1],
            "removing VIPs.",
        )
    for message in words:
        trial.log("B", first + 500_000, message)
    gap = [(first + 500_000, None)] if family == "keepalived-1.2.2" else []
    trial.serving = [(0, "B"), *gap, (garp + SWITCH, "A")]
    trial.owning = [(0, ("A", "B")), (first + 500_000, ("A",))]
    fault = 20 * S + 300 * MS
    _takeover(trial, fault, first, garp, event="reversion")
    _dead(trial, fault, [(first + 500_000, garp + SWITCH)] if gap else [])
    return trial


def interface_fails(family: str) -> Trial:
    """A's eth1 goes down 0.4 s after its advert at 10 s."""
    trial = Trial("interface-fails", family, "B", priorities=(101, 101), tracked=("eth1",))
    last = trial.adverts("A", 0, 10 * S + 1)
    down = last + 400 * MS
    trial.fault("link_down", "A", down, marker="token-c")
    if family == "keepalived-1.2.2":
        first = last + 3 * S + SKEW_NS[101] + LATE
        noticed = last + S
        words: tuple[str, ...] = (
            "Kernel is reporting: interface eth1 DOWN",
            "Entering FAULT STATE",
            "removing protocol VIPs.",
            "Now in FAULT state",
        )
    else:
        for zero in (down + 5 * MS, down + 6 * MS):
            trial.adverts("A", zero, zero + 1, priority=0)
            trial.log("B", zero, "Backup received priority 0 advertisement")
        first = down + 6 * MS + SKEW_NS[101] + LATE
        noticed = down + 4 * MS
        words = ("Netlink reports eth1 down", "Entering FAULT STATE", "removing VIPs.")
    for message in words:
        trial.log("A", noticed, message)
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (down, None), (garp + SWITCH, "B")]
    trial.owning = [(0, ("A",)), (down, ()), (garp, ("B",))]
    _takeover(trial, down, first, garp)
    _dead(trial, down, [(down, garp + SWITCH)])
    trial.truth |= {"x_s": 400 * MS, "priority_zero": 0 if family == "keepalived-1.2.2" else 2, "dual_owner_s": 0}
    return trial


def interface_returns(family: str) -> Trial:
    """A's eth1 returns at 10 s, B stays; B is shut down at 22 s and goes 0.8 s later."""
    trial = Trial("interface-returns", family, "A", priorities=(101, 101), tracked=("eth1",))
    trial.fault("link_down", "A", 0, phase="setup")
    trial.fault("link_up", "A", 10 * S + 300 * MS)
    if family == "keepalived-2":
        trial.log("A", 10 * S + 310 * MS, "Netlink reports eth1 up")
    trial.log("A", 10 * S + 350 * MS, "Entering BACKUP STATE")
    trial.fault("shutdown", "B", 22 * S)
    gone = 22 * S + 800 * MS
    last = trial.adverts("B", 0, gone)
    if family == "keepalived-1.2.2":
        first = last + 3 * S + SKEW_NS[101] + LATE
    else:
        trial.adverts("B", gone, gone + 1, priority=0)
        trial.log("A", gone, "Backup received priority 0 advertisement")
        first = gone + SKEW_NS[101] + LATE
    garp = trial.takeover("A", first, trial.end)
    trial.serving = [(0, "B"), (gone, None), (garp + SWITCH, "A")]
    trial.owning = [(0, ("B",)), (gone, ()), (garp, ("A",))]
    trial.ping_to = 21 * S
    _dead(trial, 10 * S + 300 * MS, [])
    trial.truth |= {"detection_s": None, "deadline_excess_s": None, "reversion_s": None}
    _takeover(trial, 22 * S, first, garp, prefix="second_")
    _dead(trial, 22 * S, [(gone, garp + SWITCH)], prefix="second_")
    return trial


def interface_returns_higher(family: str) -> Trial:
    """A's eth1 returns at 10 s and A, with the higher priority, takes the VIP back."""
    trial = Trial("interface-returns-higher", family, "A", tracked=("eth1",))
    trial.fault("link_down", "A", 0, phase="setup")
    trial.fault("link_up", "A", 10 * S + 300 * MS)
    first = 11 * S + 1 * MS if family == "keepalived-1.2.2" else 13 * S + 300 * MS + SKEW_NS[102]
    trial.adverts("B", 0, first)
    garp = trial.takeover("A", first, trial.end)
    gap = [(first + 500_000, None)] if family == "keepalived-1.2.2" else []
    trial.serving = [(0, "B"), *gap, (garp + SWITCH, "A")]
    trial.owning = [(0, ("B",)), (first + 500_000, ()), (garp, ("A",))]
    fault = 10 * S + 300 * MS
    _takeover(trial, fault, first, garp, event="reversion")
    _dead(trial, fault, [(first + 500_000, garp + SWITCH)] if gap else [])
    return trial


def host_dies(family: str) -> Trial:
    """A is destroyed 0.4 s after its advert at 10 s."""
    trial = Trial("host-dies", family, "B")
    last = trial.adverts("A", 0, 10 * S + 1)
    cut = last + 400 * MS
    trial.fault("power_cut", "A", cut, width=10 * MS)
    first = last + 3 * S + SKEW_NS[101] + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (cut, None), (garp + SWITCH, "B")]
    trial.owning = [(0, ("A",)), (cut, ()), (garp, ("B",))]
    _takeover(trial, cut, first, garp)
    _dead(trial, cut, [(cut, garp + SWITCH)])
    trial.truth |= {"x_s": 400 * MS, "priority_zero": 0, "dual_owner_s": 0}
    return trial


def set_up(family: str) -> Trial:
    """No fault; every set-up check holds."""
    trial = Trial("set-up", family, "A", end=8 * S)
    trial.adverts("A", 0, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    for number in range(1, 11):
        trial.event(5 * S, "check", claim=f"P{number}", ok=True, detail=f"detail of P{number}")
    return trial


def split_brain(family: str) -> Trial:
    """A's eth0 goes down: B hears nobody and takes over, A serves on; both own the VIP to the end."""
    trial = Trial("split-brain", family, "B")
    last = trial.adverts("A", 0, 10 * S + 1)
    down = last + 400 * MS
    trial.fault("link_down", "A", down)
    first = last + 3 * S + SKEW_NS[101] + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (garp + SWITCH, "B")]
    trial.owning = [(0, ("A",)), (garp, ("A", "B"))]
    _takeover(trial, down, first, garp)
    _dead(trial, down, [])
    _two_owners(trial, garp)
    return trial


def flap(family: str) -> Trial:
    """After a power cut B serves for two seconds, is gone for 100 ms, and again for 40 ms seven seconds later."""
    trial = host_dies(family)
    trial.scenario = "flap"
    cut, up = trial.serving[1][0], trial.serving[2][0]
    away = [(up + 2000 * MS, up + 2100 * MS), (up + 9000 * MS, up + 9040 * MS)]
    for begin, end in away:
        trial.serving += [(begin, None), (end, "B")]
    _dead(trial, cut, [(cut, up), *away])
    return trial


def duplicate_owner(family: str) -> Trial:
    """As when the daemon dies, but for two seconds both hosts answer each request of the probe."""
    trial = daemon_dies(family)
    trial.scenario = "duplicate-owner"
    trial.doubled = (25 * S, 27 * S)
    trial.truth["answered_twice"] = trial.sent_between(*trial.doubled)
    return trial


def late_second_burst(family: str) -> Trial:
    """As when the daemon dies, but the second burst of gratuitous ARP comes after nine seconds."""
    trial = daemon_dies(family, second_burst=9 * S)
    trial.scenario = "late-second-burst"
    trial.truth["second_burst_s"] = 9 * S
    return trial


def lost_frames(family: str) -> Trial:
    """As when the host dies, but three more requests are lost later, two of them in a row."""
    trial = host_dies(family)
    trial.scenario = "lost-frames"
    cut, up = trial.serving[1][0], trial.serving[2][0]
    trial.lost = {1500, 1501, 1700}
    sent = [PROBE_FROM + place * trial.probe_interval for place in (1500, 1700)]
    _dead(trial, cut, [(cut, up), (sent[0], sent[0] + 2 * trial.probe_interval), (sent[1], sent[1] + 1)])
    return trial


def carp_mixed_in(family: str) -> Trial:
    """As when the host dies, but both hosts send CARP of the same number all the while."""
    trial = host_dies(family)
    trial.scenario = "carp-mixed-in"
    trial.frames["interconnect"] += [(at, carp(host)) for at in range(0, trial.end, 100 * MS) for host in "AB"]
    return trial


def version_3(family: str, *, ipv6: bool = False) -> Trial:
    """A power cut with adverts of version 3 each 10 ms, 4 ms after one; a probe each 5 ms."""
    trial = Trial("version-3", family, "B", end=20 * S, probe_interval=5 * MS)
    trial.protocol, trial.advert_int, trial.ipv6 = "vrrp3", 10 * MS, ipv6
    last = trial.adverts("A", 0, 10 * S + 1)
    cut = last + 4 * MS
    trial.fault("power_cut", "A", cut)
    # (256 - 101) / 256 of 10 ms, cut to the nanosecond.
    first = last + 30 * MS + 6_054_687 + LATE
    garp = trial.takeover("B", first, trial.end)
    trial.serving = [(0, "A"), (cut, None), (garp + SWITCH, "B")]
    trial.owning = [(0, ("A",)), (cut, ()), (garp, ("B",))]
    _takeover(trial, cut, first, garp)
    _dead(trial, cut, [(cut, garp + SWITCH)])
    trial.truth["x_s"] = 4 * MS
    return trial


def version_3_ipv6(family: str) -> Trial:
    """The same with a VIP of IPv6: ICMPv6 echo, and neighbour advertisements in place of gratuitous ARP."""
    trial = version_3(family, ipv6=True)
    trial.scenario = "version-3-ipv6"
    return trial


def truth_cut(family: str) -> Trial:
    """The client's traffic is cut for 50, 500 and 3,000 ms; each end of a cut is known to 0.1 ms."""
    trial = Trial("truth-cut", family, "A", end=20 * S, probe_interval=5 * MS)
    trial.adverts("A", 0, trial.end)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    at = 5 * S + 2 * MS
    for number, length in enumerate((50 * MS, 500 * MS, 3000 * MS), 1):
        for moment, kind, keys in ((at, "fault_injected", {"duration_ns": length}), (at + length, "fault_healed", {})):
            around = {"before_ns": START_NS + moment - 100_000, "after_ns": START_NS + moment + 100_000}
            trial.event(moment, kind, kind="cut", station="client", host=None, phase="steps", **around, **keys)
        trial.serving += [(at, None), (at + length, "A")]
        trial.truth |= {
            f"cut_{number}_true_s": length,
            f"cut_{number}_measured_s": trial.sent_between(at, at + length) * trial.probe_interval,
            f"cut_{number}_measured_loss_s": trial.sent_between(at, at + length) * trial.probe_interval,
        }
        at += length + S
    return trial


def calibration(family: str) -> Trial:
    """Nothing happens: adverts 1 ms apart from their second, every request but the first 0.4 ms late, two lost."""
    trial = Trial("calibration", family, "A", end=20 * S, late=400_000)
    for number in range(20):
        trial.adverts("A", number * S + number % 2 * MS, number * S + number % 2 * MS + 1)
    trial.serving, trial.owning = [(0, "A")], [(0, ("A",))]
    trial.lost = {300, 500}
    trial.truth |= {
        "calibration_lost": 2,
        "calibration_false_outages": 2,
        "calibration_false_outage_s": 2 * trial.probe_interval,
        "calibration_advert_median_s": MS,
        "calibration_advert_max_s": MS,
        "calibration_probe_median_s": 400_000,
        "calibration_probe_max_s": 400_000,
    }
    return trial


PLAIN: dict[str, Callable[[str], Trial]] = {
    "set-up": set_up,
    "daemon-dies": daemon_dies,
    "daemon-returns": daemon_returns,
    "interface-fails": interface_fails,
    "interface-returns": interface_returns,
    "interface-returns-higher": interface_returns_higher,
    "host-dies": host_dies,
}
AWKWARD: dict[str, Callable[[str], Trial]] = {
    "split-brain": split_brain,
    "flap": flap,
    "duplicate-owner": duplicate_owner,
    "late-second-burst": late_second_burst,
    "lost-frames": lost_frames,
    "carp-mixed-in": carp_mixed_in,
    "version-3": version_3,
    "version-3-ipv6": version_3_ipv6,
    "truth-cut": truth_cut,
    "calibration": calibration,
}
