"""What a report is made of: a `RunView`, in which every trial is shown with all that is known about it.

Moments that end in `_s` are seconds after the trial's zero, which is its headline fault (the trial's start where it has
none). All else is as in `summary`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from viplab.analysis.presentation import Presentation
from viplab.analysis.summary import ClaimResult, FaultSummary, MetricStatistics, PingSummary, Summary, TrialSummary
from viplab.subjects.family import Terms
from viplab.types import Frozen, HostName, NetworkName, NodeTimers, RunInfo, TrialInfo

Stream = Literal["probe", "ping"]


class Step(Frozen):
    """One step of the scenario as it was done; `end_s` is None when the run broke off in it."""

    text: str
    phase: Literal["setup", "steps"]
    start_s: float
    end_s: float | None
    waited_s: float | None


class Moments(Frozen):
    """When things happened around one fault, absolute; None where it was not seen."""

    last_advert_ns: int | None = None
    priority_zero_ns: int | None = None
    first_advert_ns: int | None = None
    first_garp_ns: int | None = None
    neighbour_change_ns: int | None = None
    first_answer_ns: int | None = None


def between(start_ns: int | None, end_ns: int | None) -> float | None:
    """Seconds from one moment to another, None where either was not seen."""
    return None if start_ns is None or end_ns is None else (end_ns - start_ns) / 1e9


class WaterfallItem(Frozen):
    """One bar of the failover waterfall: where it was measured, and how long it should take (low, high)."""

    name: Literal["wait", "detection", "announce", "client_switch", "answer", "outage"]
    label: str
    start_s: float | None
    end_s: float | None
    expected_s: tuple[float, float] | None


class FaultView(Frozen):
    """One measured fault with everything known about it; `at_s` is relative to the trial's zero."""

    summary: FaultSummary
    at_s: float
    old_master: HostName | None
    new_master: HostName | None
    timers: NodeTimers | None = Field(default=None, description="What the new master counted by until it took over.")
    outage: Terms | None = Field(default=None, description="What the timing model says of the outage.")
    unpredicted: str | None = Field(default=None, description="Why it says nothing of it, though it should.")
    moments: Moments
    waterfall: list[WaterfallItem]


class FrameRow(Frozen):
    """One frame that matters, in Wireshark's columns; `mark` says why it matters, None for company."""

    no: int
    time_s: float
    source: str
    destination: str
    protocol: Literal["VRRP", "CARP", "ARP", "ICMP", "ICMPv6"]
    length: int
    info: str
    network: NetworkName
    mark: str | None = None


class AdvertSeen(Frozen):
    """One advert on the interconnect; `host` is None where its sender is no host of the trial, priority 0 gives up."""

    at_s: float
    host: HostName | None
    priority: int


class RoundTrip(Frozen):
    """One echo request; `rtt_ms` and `mac` (whose answer it was) are None when it was lost."""

    seq: int
    sent_s: float
    rtt_ms: float | None
    mac: str | None


class LossRunView(Frozen):
    """Consecutive lost echo requests of one stream: from the first lost one to the first answered one after it.

    `end_s` is None when the stream ended unanswered.
    """

    stream: Stream
    start_s: float
    end_s: float | None
    lost: int


class Interval(Frozen):
    """A state that lasted from `start_s` to `end_s`; several labels at once do not occur within one swim lane."""

    start_s: float
    end_s: float
    label: str


class SwimLane(Frozen):
    """What one party was at, over time.

    Labels: hosts `off`, `silent`, `advertising` (or `answering`, where none advertises), `no daemon`; owners and client
    `A`, `A+B`, `none`, or a MAC. A swim lane begins where something is known.
    """

    name: HostName | Literal["owners", "client"]
    label: str
    intervals: list[Interval]


class LogLine(Frozen):
    """One line of a guest's log, untrusted in every part; `time_s` is on the host's clock within `uncertainty_s`."""

    host: HostName
    stamp: str
    time_s: float | None
    uncertainty_s: float | None
    ident: str
    message: str
    raw: str


class PingReply(Frozen):
    """One answered request in the transcript."""

    seq: int
    ttl: int | None
    rtt_ms: float


class PingView(Frozen):
    """The 1 Hz ping: transcript as it is (untrusted) and as it was read."""

    text: str
    summary: PingSummary
    replies: list[PingReply]
    torn: bool = Field(description="The transcript has no statistics; sent and received are counted from its lines.")


class TrialView(Frozen):
    """All that a report shows of one trial."""

    name: str
    info: TrialInfo
    summary: TrialSummary
    zero_ns: int
    zero: Literal["fault", "start"]
    start_s: float
    end_s: float
    scenario: str = Field(description="The scenario file as it was read.")
    config: dict[HostName, dict[str, str | None]]
    steps: list[Step]
    faults: list[FaultView]
    frames: list[FrameRow]
    adverts: list[AdvertSeen]
    probe: list[RoundTrip]
    ping_trips: list[RoundTrip]
    loss_runs: list[LossRunView]
    swim_lanes: list[SwimLane]
    ping: PingView | None
    arp_before: str | None
    arp_after: str | None
    logs: dict[HostName, list[LogLine]]
    notes: list[str] = Field(description="What was missing or odd in the evidence, one sentence each.")


class Evidence(Frozen):
    """A measured value that an answer rests on, and the trial that it comes from."""

    label: str
    value: str
    trial: str


class Puzzle(Frozen):
    """A question that the article leaves open, answered for one subject by measured numbers."""

    number: int
    title: str
    question: str
    subject: str
    profile: str
    answer: str
    settled: bool
    evidence: list[Evidence]


class RunView(Frozen):
    """All that a report shows of one run."""

    info: RunInfo
    trials: list[TrialView]
    claims: list[ClaimResult]
    puzzles: list[Puzzle]
    presentation: Presentation = Field(description="How the report tells all this.")
    statistics: list[MetricStatistics] = Field(default=[])
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
            not_supported=self.info.not_supported,
            claims=self.claims,
            statistics=self.statistics,
        )
