"""A run made by hand, with the numbers that keepalived 1.2.2 and 2.2.7 give, for reports to be made of."""

from __future__ import annotations

from typing import Any, Literal

from support.report_evidence import (
    MAC,
    VIP,
    ZERO_NS,
    adverts,
    arp,
    frames,
    logs,
    ns,
    probe,
    swim_lanes,
    transcript,
)
from viplab.analysis.claims import read_presentation
from viplab.analysis.summary import CaptureSummary, ClaimResult, Fault, FaultSummary, PingSummary, Rtt, TrialSummary
from viplab.analysis.views import (
    Evidence,
    FaultView,
    LossRunView,
    Moments,
    PingReply,
    PingView,
    Puzzle,
    RoundTrip,
    RunView,
    Step,
    TrialView,
    WaterfallItem,
)
from viplab.faults import Effect, fault_kind
from viplab.store import reference_claims
from viplab.subjects.family import Terms, TimingModel
from viplab.subjects.registry import find_family
from viplab.types import NodeTimers, Provenance, RunInfo, Station, TrialInfo

PRESENTATION = read_presentation(reference_claims())

STATIONS = {
    "client": Station(hostname="client", public_mac="52:54:00:aa:00:01", public_ip="192.168.122.1"),
    "A": Station(
        hostname="centOS-hostA",
        public_mac=MAC["A"],
        public_ip="192.168.122.101",
        interconnect_mac="52:54:00:10:00:0a",
        interconnect_ip="10.77.0.1",
    ),
    "B": Station(
        hostname="centOS-hostB",
        public_mac=MAC["B"],
        public_ip="192.168.122.102",
        interconnect_mac="52:54:00:10:00:0b",
        interconnect_ip="10.77.0.2",
    ),
}

TITLES = {
    "part-1": "Set-up: two hosts and one address",
    "case-a": "Case A: the master dies",
    "case-b": "Case B: the master comes back",
    "case-c": "Case C: the interface goes down",
    "case-d": "Case D: the interface comes up again",
    "power-cut": "Power cut: the whole host dies",
}
STORY = (
    "Both hosts are up, A holds the address and the client pings it once a second. Then the daemon on A is killed.\n\n"
    "Nothing on A gets to clean up. What does the client notice?"
)


def _timing(family: str) -> TimingModel:
    model = find_family(family, "").timing
    assert model is not None
    return model


def config(state: str, priority: int) -> dict[str, str]:
    text = (
        f"vrrp_instance VI_1 {{\n    state {state}\n    interface eth0\n    virtual_router_id 51\n"
        f"    priority {priority}\n"
        f"    virtual_ipaddress {{\n        {VIP}/24 brd 192.168.122.255 dev eth1 label eth1:0\n    }}\n}}\n"
    )
    return {"keepalived.conf": text}


def trial(
    scenario: str = "case-a",
    subject: str = "vipd",
    number: int = 1,
    order: int = 1,
    *,
    takeover_s: float | None = 3.294,
    outage_s: float | None = 0.0,
    verdict: Literal["pass", "fail", "undecided"] = "pass",
    **changes: Any,
) -> TrialView:
    """A trial in which A fails at 0 s and B takes over; the client misses `outage_s` from the fault on."""
    kind: Any = {"case-b": "bring_back", "case-c": "link_down", "case-d": "link_up", "power-cut": "power_cut"}.get(
        scenario, "kill"
    )
    faulty = scenario != "part-1"
    garp_s = None if takeover_s is None else takeover_s + 1.0021
    lost = [seq for seq in range(1, 41) if outage_s and 0 <= seq - 12.3 <= outage_s]
    summary_ping = PingSummary(
        sent=40, received=40 - len(lost), lost_seqs=lost, rtt_ms=Rtt(min=0.198, avg=0.742, max=20.167, mdev=2.472)
    )
    fault = Fault(kind=kind, host="A", at_ns=ZERO_NS, uncertainty_ns=210_000)
    metrics: dict[str, Any] = {
        "expected_down_interval_s": 3.60546875,
        "detection_s": takeover_s,
        "deadline_excess_s": None if takeover_s is None else 0.00142,
        "announce_s": None if takeover_s is None else 1.0021,
        "client_switch_s": None if takeover_s is None else 0.00031,
        "outage_s": outage_s,
        "dual_owner_s": None if takeover_s is None else 0.0 if outage_s else 24.2,
        "x_s": 0.3129,
        "priority_zero": 0,
        "outage_window_s": (3.605, 4.605) if outage_s else None,
    }
    info = TrialInfo(
        scenario=scenario,
        title=TITLES.get(scenario, scenario),
        subject=subject,
        subject_version="0.1.0" if subject == "vipd" else "1:2.2.7-1+b2",
        profile="keepalived-1.2.2" if subject == "vipd" else "keepalived-2",
        family="keepalived-1.2.2" if subject == "vipd" else "keepalived-2",
        lab="libvirt",
        accel="qemu",
        trial=number,
        vip=VIP,
        virtual_router_id=51,
        stations=STATIONS,
        nodes={
            "A": NodeTimers(state="MASTER", priority=102, advert_int_s=1),
            "B": NodeTimers(state="BACKUP", priority=101, advert_int_s=1),
        },
        probe_interval_s=0.02,
    )
    name = f"{order:03}-{scenario}-{subject}"
    summary = TrialSummary(
        name=name,
        scenario=scenario,
        subject=subject,
        subject_version=info.subject_version,
        profile=info.profile,
        family=info.family,
        lab="libvirt",
        accel="qemu",
        trial=number,
        verdict=verdict,
        reason="The owner at the end is B, as expected." if verdict == "pass" else "The capture dropped 12 packets.",
        ping=summary_ping,
        capture=CaptureSummary(packets=4821, dropped=0),
        fault=fault if faulty else None,
        faults=[FaultSummary(fault=fault, **metrics)] if faulty else [],
        floor_s=9.6,
        wall_s=14.3,
        **(metrics if faulty else {}),
    )
    return TrialView(
        **{
            "name": name,
            "info": info,
            "summary": summary,
            "zero_ns": ZERO_NS,
            "zero": "fault" if faulty else "start",
            "start_s": -14.2,
            "end_s": 28.0,
            "scenario": f"scenario: {scenario}\narticle: part 2, case A\nstory: |\n  " + STORY.replace("\n", "\n  "),
            "config": {"A": config("MASTER", 102), "B": config("BACKUP", 101)},
            "steps": [
                Step(text="start: A", phase="setup", start_s=-14.1, end_s=-13.9, waited_s=0),
                Step(text="wait: {master: A}", phase="setup", start_s=-13.9, end_s=-12.8, waited_s=1.1),
                Step(text="ping: start", phase="steps", start_s=-12.4, end_s=-12.39, waited_s=0),
                Step(text=f"{kind}: {{host: A}}", phase="steps", start_s=-0.001, end_s=0.002, waited_s=0),
                Step(text="wait: {announced: B}", phase="steps", start_s=0.002, end_s=None, waited_s=None),
            ],
            "faults": [_fault(info, summary.faults[0], takeover_s, garp_s, outage_s)] if faulty else [],
            "frames": frames(takeover_s, garp_s),
            "adverts": adverts(takeover_s),
            "probe": probe(garp_s, outage_s),
            "ping_trips": [
                RoundTrip(
                    seq=seq,
                    sent_s=seq - 12.3,
                    rtt_ms=None
                    if seq in lost
                    else 20.1
                    if garp_s and 0 < seq - 12.3 - garp_s < 1
                    else 0.3 + seq % 7 * 0.02,
                    mac=None if seq in lost else MAC["B" if garp_s and seq - 12.3 > garp_s else "A"],
                )
                for seq in range(1, 41)
            ],
            "loss_runs": []
            if not outage_s
            else [
                LossRunView(stream="probe", start_s=0.0, end_s=outage_s, lost=round(outage_s / 0.02)),
                LossRunView(stream="ping", start_s=0.7, end_s=0.7 + len(lost), lost=len(lost)),
            ],
            "swim_lanes": swim_lanes(takeover_s, garp_s, outage_s),
            "ping": PingView(
                text=transcript(lost),
                summary=summary_ping,
                replies=[PingReply(seq=seq, ttl=64, rtt_ms=0.34) for seq in range(1, 41) if seq not in lost],
                torn=False,
            ),
            "arp_before": arp("A"),
            "arp_after": arp("B"),
            "logs": logs(takeover_s),
            "notes": [],
            **changes,
        }
    )


def run(*trials: TrialView, subjects: tuple[str, ...] = ("vipd",)) -> RunView:
    """A run of these trials, with claims and puzzles for each subject."""
    return RunView(
        info=RunInfo(
            schema=1,
            id="2026-09-14T101500Z-1f3c",
            started="2026-09-14T10:15:00Z",
            provenance=Provenance(
                git="1f3c9aa",
                argv=["viplab", "run", "--all"],
                host_kernel="6.1.0-18-amd64",
                qemu="7.2.9",
                libvirt="9.0.0",
                accel="qemu",
                image="debian-12 sha256:7c1e0f…",
                packages={"A": {"keepalived": "1:2.2.7-1+b2"}, "B": {}},
            ),
        ),
        trials=list(trials),
        claims=[claim for subject in subjects for claim in _claims(subject)] if trials else [],
        presentation=PRESENTATION,
        puzzles=[puzzle for subject in subjects for puzzle in _puzzles(subject)] if trials else [],
        notes=[],
        exit_status=0 if trials else 2,
    )


def whole_run() -> RunView:
    """Every case once with two subjects, one trial of them undecided, one repeated three times."""
    outages = {"case-c": 4.2, "power-cut": 4.31}
    trials = [trial("part-1", "vipd", order=1, takeover_s=None, outage_s=None)]
    for subject in ("vipd", "keepalived"):
        trials += [
            trial(name, subject, order=len(trials) + position, outage_s=outages.get(name, 0.0))
            for position, name in enumerate(("case-a", "case-b", "case-c", "case-d", "power-cut"), 1)
        ]
    trials.append(trial("case-a", "vipd", 2, 12, takeover_s=3.011))
    trials.append(trial("case-a", "vipd", 3, 13, takeover_s=None, outage_s=None, verdict="undecided"))
    return run(*trials, subjects=("vipd", "keepalived"))


def _terms(model: TimingModel, effect: Effect | None) -> Terms:
    """What the model says; a daemon that tells nobody when it leaves is missed like a host that is lost."""
    if effect is None or (effect is Effect.GIVES_UP and not model.releases):
        return model.outage[Effect.HOST_LOST]
    return model.outage[effect]


def _fault(
    info: TrialInfo, summary: FaultSummary, takeover_s: float | None, garp_s: float | None, outage_s: float | None
) -> FaultView:
    if takeover_s is None or garp_s is None:
        return FaultView(summary=summary, at_s=0.0, old_master="A", new_master=None, moments=Moments(), waterfall=[])
    return FaultView(
        summary=summary,
        at_s=0.0,
        old_master="A",
        new_master="B",
        timers=info.nodes["B"],
        outage=_terms(_timing(info.family), fault_kind(summary.fault.kind).effect),
        moments=Moments(
            last_advert_ns=ZERO_NS - 312_900_000,
            first_advert_ns=ns(takeover_s),
            first_garp_ns=ns(garp_s),
            neighbour_change_ns=ns(garp_s + 0.0003),
            first_answer_ns=ns(garp_s + 0.4),
        ),
        waterfall=[
            WaterfallItem(name="wait", label="Last advert to fault", start_s=-0.3129, end_s=0.0, expected_s=(0.0, 1.0)),
            WaterfallItem(
                name="detection", label="Down interval", start_s=0.0, end_s=takeover_s, expected_s=(2.605, 3.605)
            ),
            WaterfallItem(
                name="announce",
                label="Advert to gratuitous ARP",
                start_s=takeover_s,
                end_s=garp_s,
                expected_s=(1.0, 1.01),
            ),
            WaterfallItem(
                name="client_switch", label="Client's ARP entry", start_s=garp_s, end_s=garp_s + 0.0003, expected_s=None
            ),
            WaterfallItem(name="answer", label="First answer of B", start_s=None, end_s=None, expected_s=None),
            WaterfallItem(
                name="outage",
                label="Client without an answer",
                start_s=0.0,
                end_s=outage_s,
                expected_s=(3.605, 4.605) if outage_s else None,
            ),
        ],
    )


def claim(
    id_: str, subject: str = "vipd", verdict: Any = "reproduced", explained: bool = False, **changes: Any
) -> ClaimResult:
    return ClaimResult(
        **{
            "id": id_,
            "scenario": f"case-{id_[0].lower()}",
            "subject": subject,
            "profile": "keepalived-1.2.2" if subject == "vipd" else "keepalived-2",
            "text": "No echo request goes unanswered when the daemon on A is killed.",
            "article": "67 sent, 67 received, 0 % loss",
            "measured": "0 of 40 lost",
            "verdict": verdict,
            "explained": explained,
            "why": "The kernel of A goes on answering; nothing took the address away."
            if verdict != "reproduced"
            else "",
            "trials": 1,
            "trial": None,
            **changes,
        }
    )


def _claims(subject: str) -> list[ClaimResult]:
    ids = [f"P{n}" for n in range(1, 11)] + [f"A{n}" for n in range(1, 6)] + ["B1", "B2", "C1", "C2", "D1", "D4"]
    claims = [claim(id_, subject) for id_ in ids]
    claims.append(
        claim(
            "A6",
            subject,
            "differs",
            True,
            text="Detection takes no more than 20 ms.",
            article="not higher than 20 ms",
            measured="3.294 s from the fault to B's first advert",
            trials=3,
            why="20 ms was the slowest reply. Detection takes the down interval, 3 x 1 s + 155/256 s.",
        )
    )
    claims.append(claim("B5", subject, "undecided", measured="no log of B", why="The log of B was not kept."))
    if subject == "keepalived":
        claims.append(claim("C3", subject, "differs", False, measured="three of four lines", why="No known cause."))
    return claims


def _puzzles(subject: str) -> list[Puzzle]:
    profile = "keepalived-1.2.2" if subject == "vipd" else "keepalived-2"
    return [
        Puzzle(
            number=number,
            title=title,
            question="The summary says that detection was not higher than 20 ms. Was it?",
            subject=subject,
            profile=profile,
            settled=number != 5,
            answer="No. The takeover came 3.294 s after the kill; A's kernel went on answering.",
            evidence=[
                Evidence(label="Fault to first advert of B", value="3.294 s", trial="002-case-a-vipd"),
                Evidence(label="Time with two owners", value="24.2 s", trial="002-case-a-vipd"),
            ],
        )
        for number, title in enumerate(
            (
                "20 ms is not detection",
                "The reply that took 20.1 ms",
                "Four lost pings are arithmetic",
                "Case D is a tie",
                "Case B was lucky",
            ),
            1,
        )
    ]
