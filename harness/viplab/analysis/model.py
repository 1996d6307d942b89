"""What analysis yields: `Summary`, which is kept as `summary.json`, and `RunView`, which a report is made of.

Keys that end in `_ns` are absolute: integer nanoseconds of the host's clock. Keys that end in `_s` are either
durations or, in a `TrialView`, moments in seconds after the trial's zero, which is its headline fault (the trial's
start where it has none).
A value that was not measured is None, never 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from viplab.evidence import Family, HostName, Provenance, RunInfo, TrialInfo

SCHEMA = 1

TrialVerdict = Literal["pass", "fail", "undecided"]
ClaimVerdict = Literal["reproduced", "differs", "undecided", "inapplicable"]
FaultKind = Literal["kill", "stop", "link_down", "link_up", "power_cut", "shutdown", "bring_back"]
Stream = Literal["probe", "ping"]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# --- summary.json ---------------------------------------------------------------------------------------------------


class Rtt(_Frozen):
    """Round-trip times in milliseconds, as `ping` prints them."""

    min: float
    avg: float
    max: float
    mdev: float


class PingSummary(_Frozen):
    """The 1 Hz ping of the article, by its transcript; `lost_seqs` are the sequence numbers that are absent from it."""

    sent: int
    received: int
    lost_seqs: list[int]
    rtt_ms: Rtt | None = None


class CaptureSummary(_Frozen):
    """All captures of a trial together, by tcpdump's own count."""

    packets: int | None = None
    dropped: int | None = None


class Fault(_Frozen):
    """What was done, to whom, when: at most `uncertainty_ns` after a marker, or either side of a bracket's middle."""

    kind: FaultKind
    host: HostName
    at_ns: int
    uncertainty_ns: int
    dated_by: Literal["marker", "bracket"] = "bracket"

    @property
    def earliest_ns(self) -> int:
        """Before this it cannot have been: a marker is sent before the fault, a bracket's middle may be after it."""
        return self.at_ns if self.dated_by == "marker" else self.at_ns - self.uncertainty_ns


class Measures(_Frozen):
    """What one fault did, in seconds; the terms are those of docs/run-folder.md."""

    expected_down_interval_s: float | None = Field(
        default=None, description="Master_Down_Interval of the host that took over."
    )
    detection_s: float | None = Field(default=None, description="Fault to first advert of the new master.")
    deadline_excess_s: float | None = Field(
        default=None,
        description="(First new advert - last old advert) - what was due: down interval, or skew after priority 0.",
    )
    announce_s: float | None = Field(
        default=None, description="First advert of the new master to its first gratuitous ARP."
    )
    client_switch_s: float | None = Field(
        default=None, description="First gratuitous ARP to the client's neighbour change."
    )
    event: Literal["failover", "reversion"] | None = Field(
        default=None, description="Whether the VIP moved because its master was lost, or because a host came back."
    )
    outage_s: float | None = Field(
        default=None, description="Sum of the gaps in answers, by time stamp; 0 when measured and none was lost."
    )
    outage_loss_s: float | None = Field(
        default=None, description="The same by loss: requests without an answer, times the interval between requests."
    )
    lost: int | None = Field(default=None, description="Requests without an answer.")
    recovered_s: float | None = Field(
        default=None,
        description="Fault to the first request from which on none is lost for 5 s; 0 where none was lost at all.",
    )
    answered_twice: int | None = Field(default=None, description="Requests that more than one MAC answered.")
    failover_s: float | None = Field(default=None, description="Loss of the master to the new one's first answer.")
    dual_owner_s: float | None = Field(
        default=None, description="Time for which more than one MAC answered for the VIP."
    )
    reversion_s: float | None = Field(default=None, description="Return of a host to its first answer under the VIP.")
    x_s: float | None = Field(default=None, description="Last advert of the old master before the fault, to the fault.")
    priority_zero: int | None = Field(default=None, description="Priority-0 adverts of the old master after the fault.")
    outage_window_s: tuple[float, float] | None = Field(
        default=None, description="Where the model of docs/run-folder.md puts the outage."
    )


class OutageGap(_Frozen):
    """One gap of an outage: when it began after the fault, how long it was (None: to the end), requests lost in it."""

    start_s: float
    duration_s: float | None
    lost: int


class FaultSummary(Measures):
    """One measured fault of a trial."""

    fault: Fault
    gaps: list[OutageGap] = []
    answers: dict[str, int] = Field(default={}, description="Answers after the fault by who gave them: A, B, or a MAC.")


class CutSummary(_Frozen):
    """The client's traffic was cut for a known time: the instrument held against the truth.

    `true_s` is known to `uncertainty_s`, half of what the two clock reads around each end leave open; the measured
    value may be off by one interval of the probe besides.
    """

    asked_s: float | None
    true_s: float
    uncertainty_s: float
    interval_s: float
    measured_s: float | None = Field(description="By time stamp.")
    measured_loss_s: float | None = Field(description="By loss.")
    within: bool | None = Field(description="Both are as near to the truth as they can be; null where not measured.")


class Jitter(_Frozen):
    """How far something was off, over n events."""

    n: int
    median_s: float
    p95_s: float
    max_s: float


class Calibration(_Frozen):
    """What is measured where nothing happens: the noise floor of every other figure."""

    duration_s: float
    requests: int
    requests_per_s: float = Field(description="The rate that was achieved.")
    lost: int
    false_outages: int = Field(description="Gaps in the answers although nobody did anything.")
    false_outage_s: float
    advert_jitter: Jitter | None = Field(description="Distance between two adverts against the configured interval.")
    probe_jitter: Jitter | None = Field(description="How late requests were handed to the kernel.")
    round_trip: Jitter | None
    dropped: int | None


class TrialSummary(Measures):
    """One trial; its `Measures` are those of its headline fault, the first one among the measured steps."""

    name: str
    scenario: str
    subject: str
    subject_version: str
    profile: str
    family: Family
    lab: str
    accel: str | None
    trial: int
    verdict: TrialVerdict
    reason: str
    ping: PingSummary | None
    capture: CaptureSummary
    fault: Fault | None
    faults: list[FaultSummary]
    cuts: list[CutSummary] = []
    calibration: Calibration | None = None
    floor_s: float | None
    wall_s: float | None


class Figure(_Frozen):
    """One quantity over the decided trials of one scenario and subject, in seconds.

    `quantity` names a figure of the headline fault, or with `second_` before it one of a trial's second fault.
    """

    scenario: str
    subject: str
    profile: str
    quantity: str
    n: int
    undecided: int = Field(description="Trials that are not in n because nothing could be decided about them.")
    median: float
    q1: float
    q3: float
    p95: float
    min: float
    max: float
    interval: tuple[float, float] | None = Field(description="BCa at 95 % for the median; null below five values.")


class ClaimResult(_Frozen):
    """One claim of the article, judged for one subject over all of its trials of the scenario."""

    id: str
    scenario: str
    subject: str
    profile: str
    text: str = Field(description="The claim in our words.")
    article: str = Field(description="What the article saw.")
    measured: str
    verdict: ClaimVerdict
    explained: bool = Field(description="It differs, and a known cause is borne out by the measured numbers.")
    why: str
    trials: int = Field(description="Trials that it was judged on.")
    trial: str | None = Field(default=None, description="The trial (folder name) that `measured` and `why` quote.")


class Summary(_Frozen):
    """`results/runs/<id>/summary.json`."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    id: str
    started: str
    provenance: Provenance
    trials: list[TrialSummary]
    claims: list[ClaimResult]
    figures: list[Figure] = []


# --- views ----------------------------------------------------------------------------------------------------------


class Step(_Frozen):
    """One step of the scenario as it was done; `end_s` is None when the run broke off in it."""

    text: str
    phase: Literal["setup", "steps"]
    start_s: float
    end_s: float | None
    waited_s: float | None


class Moments(_Frozen):
    """When things happened around one fault, absolute; None where it was not seen."""

    last_advert_ns: int | None = None
    priority_zero_ns: int | None = None
    first_advert_ns: int | None = None
    first_garp_ns: int | None = None
    neighbour_change_ns: int | None = None
    first_answer_ns: int | None = None


class WaterfallItem(_Frozen):
    """One bar of the failover waterfall: where it was measured, and how long it should take (low, high)."""

    name: Literal["wait", "detection", "announce", "client_switch", "answer", "outage"]
    label: str
    start_s: float | None
    end_s: float | None
    expected_s: tuple[float, float] | None


class FaultView(_Frozen):
    """One measured fault with everything known about it; `at_s` is relative to the trial's zero."""

    summary: FaultSummary
    at_s: float
    old_master: HostName | None
    new_master: HostName | None
    moments: Moments
    waterfall: list[WaterfallItem]


class FrameRow(_Frozen):
    """One frame that matters, in Wireshark's columns; `mark` says why it matters, None for company."""

    no: int
    time_s: float
    source: str
    destination: str
    protocol: Literal["VRRP", "ARP", "ICMP"]
    length: int
    info: str
    network: Literal["virbr0", "interconnect"]
    mark: str | None = None


class AdvertSeen(_Frozen):
    """One advert on the interconnect; `host` is None where its sender is neither of the two, priority 0 gives up."""

    at_s: float
    host: HostName | None
    priority: int


class RoundTrip(_Frozen):
    """One echo request; `rtt_ms` and `mac` (whose answer it was) are None when it was lost."""

    seq: int
    sent_s: float
    rtt_ms: float | None
    mac: str | None


class Gap(_Frozen):
    """Consecutive lost echo requests of one stream: from the first lost one to the first answered one after it.

    `end_s` is None when the stream ended unanswered.
    """

    stream: Stream
    start_s: float
    end_s: float | None
    lost: int


class Interval(_Frozen):
    """A state that lasted from `start_s` to `end_s`; several labels at once do not occur within one lane."""

    start_s: float
    end_s: float
    label: str


class Lane(_Frozen):
    """What one party was at, over time.

    Labels: hosts `off`, `silent`, `advertising`; owners and client `A`, `B`, `A+B`, `none`, or a MAC. A lane
    begins where something is known.
    """

    name: Literal["A", "B", "owners", "client"]
    label: str
    intervals: list[Interval]


class LogLine(_Frozen):
    """One line of a guest's log, untrusted in every part; `time_s` is on the host's clock within `uncertainty_s`."""

    host: HostName
    stamp: str
    time_s: float | None
    uncertainty_s: float | None
    ident: str
    message: str
    raw: str


class PingReply(_Frozen):
    """One answered request in the transcript."""

    seq: int
    ttl: int | None
    rtt_ms: float


class PingView(_Frozen):
    """The 1 Hz ping: transcript as it is (untrusted) and as it was read."""

    text: str
    summary: PingSummary
    replies: list[PingReply]
    torn: bool = Field(description="The transcript has no statistics; sent and received are counted from its lines.")


class TrialView(_Frozen):
    """All that a report shows of one trial."""

    name: str
    info: TrialInfo
    summary: TrialSummary
    zero_ns: int
    zero: Literal["fault", "start"]
    start_s: float
    end_s: float
    scenario: str = Field(description="The scenario file as it was read.")
    config: dict[HostName, str | None]
    steps: list[Step]
    faults: list[FaultView]
    frames: list[FrameRow]
    adverts: list[AdvertSeen]
    probe: list[RoundTrip]
    ping_trips: list[RoundTrip]
    gaps: list[Gap]
    lanes: list[Lane]
    ping: PingView | None
    arp_before: str | None
    arp_after: str | None
    logs: dict[HostName, list[LogLine]]
    notes: list[str] = Field(description="What was missing or odd in the evidence, one sentence each.")


class Evidence(_Frozen):
    """One measured figure that an answer rests on, and the trial that it comes from."""

    label: str
    value: str
    trial: str


class Puzzle(_Frozen):
    """A question that the article leaves open, answered for one subject by measured numbers."""

    number: int
    title: str
    question: str
    subject: str
    profile: str
    answer: str
    settled: bool
    evidence: list[Evidence]


class RunView(_Frozen):
    """All that a report shows of one run."""

    info: RunInfo
    trials: list[TrialView]
    claims: list[ClaimResult]
    puzzles: list[Puzzle]
    figures: list[Figure] = []
    notes: list[str] = Field(description="What could not be read at all, one sentence each.")
    damage: list[str] = Field(default=[], description="Everything in the folder that is missing or damaged.")
    exit_status: int = Field(description="0 every claim reproduced or explained, 1 a claim failed, 2 undecided.")

    @property
    def summary(self) -> Summary:
        """What is kept of it as `summary.json`."""
        return Summary(
            id=self.info.id,
            started=self.info.started,
            provenance=self.info.provenance,
            trials=[trial.summary for trial in self.trials],
            claims=self.claims,
            figures=self.figures,
        )
