"""What is kept of an analysis as `summary.json`: a `Summary`, with the metrics and verdicts of every trial in it.

Keys that end in `_ns` are absolute: integer nanoseconds of the host's clock. Keys that end in `_s` are durations.
A value that was not measured is None, never 0.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from viplab.metrics import FaultMetrics
from viplab.types import Frozen, HostName, HttpError, NotSupported, Provenance

SCHEMA = 1

TrialVerdict = Literal["pass", "fail", "undecided"]
ClaimVerdict = Literal["reproduced", "differs", "undecided", "inapplicable"]


class Rtt(Frozen):
    """Round-trip times in milliseconds, as `ping` prints them."""

    min: float
    avg: float
    max: float
    mdev: float


class PingSummary(Frozen):
    """The 1 Hz ping of the article, by its transcript; `lost_seqs` are the sequence numbers that are absent from it."""

    sent: int
    received: int
    lost_seqs: list[int]
    rtt_ms: Rtt | None = None


class CaptureSummary(Frozen):
    """All captures of a trial together, by tcpdump's own count."""

    packets: int | None = None
    dropped: int | None = None


class Fault(Frozen):
    """What was done, to whom, when: an interval, from `earliest_ns` to `latest_ns`.

    It begins at `at_ns` where that is a marker, sent before the fault, or the last advert that the host which it
    silences still sent; `at_ns` is its middle where only the clock reads around it are known.

    `kind` is a name of the table in `viplab.faults`; `host` is None where no host was struck.
    """

    kind: str
    host: HostName | None
    at_ns: int
    uncertainty_ns: int
    dated_by: Literal["marker", "advert", "bracket"] = "bracket"

    def __str__(self) -> str:
        """The kind and the host, such as `link_down of A`."""
        return self.kind if self.host is None else f"{self.kind} of {self.host}"

    @property
    def earliest_ns(self) -> int:
        """Before this it cannot have been."""
        return self.at_ns - self.uncertainty_ns if self.dated_by == "bracket" else self.at_ns

    @property
    def latest_ns(self) -> int:
        """After this it cannot have been."""
        return self.at_ns + self.uncertainty_ns

    @property
    def width_ns(self) -> int:
        """How long the interval is."""
        return self.latest_ns - self.earliest_ns


class LossRunSummary(Frozen):
    """One loss run: when it began after the fault, how long it was (None: to the end), and the requests lost in it."""

    start_s: float
    duration_s: float | None
    lost: int


class Jitter(Frozen):
    """How far something was off, or how long it took, over n events."""

    n: int
    median_s: float
    p95_s: float
    max_s: float


class KeptConnection(Frozen):
    """What became of the one connection that was kept open, and what its application noticed of it.

    `kept`: it went on being used. `broken`: by `error`, `after_s` after the fault. `hung`: at the end the application
    still waited for an answer. `waited_s` is the longest that it waited for one, got or not.
    """

    fate: Literal["kept", "broken", "hung"]
    error: HttpError | None
    after_s: float | None
    waited_s: float
    answers: dict[str, int] = Field(description="Answers over it by the host that says that it gave them.")


class KeptConnections(Frozen):
    """What became of several that were kept open and took turns, of those that were not broken before the fault."""

    connections: int
    fates: dict[str, int] = Field(description="How many were `kept` or `hung`, or broke, by their error.")
    noticed: Jitter | None = Field(description="How long after the fault those that broke were told so.")


class Application(Frozen):
    """What an application saw over HTTP: requests over new connections, and the connection that it kept."""

    interval_s: float
    requests: int
    failed: int
    errors: dict[str, int] = Field(description="The failed ones by how they failed.")
    slow: int = Field(description="Answered, but after more than 0.2 s: something had to be sent again.")
    answers: dict[str, int] = Field(description="Answers by the host that says that it gave them.")
    connect: Jitter | None = Field(description="What the connection took, of those that were answered.")
    total: Jitter | None = Field(description="The same to the answer.")
    kept: KeptConnection | None = Field(description="Null where the connection was broken before the fault.")
    several: KeptConnections | None = Field(default=None, description="Null where one is kept, which is `kept`.")


class FaultSummary(FaultMetrics):
    """One measured fault of a trial."""

    fault: Fault
    loss_runs: list[LossRunSummary] = Field(default=[], validation_alias="gaps", serialization_alias="gaps")
    answers: dict[str, int] = Field(default={}, description="Answers after the fault by who gave them: A, B, or a MAC.")
    http: Application | None = Field(default=None, description="Null where the scenario does not ask over HTTP.")


class CutSummary(Frozen):
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


class Calibration(Frozen):
    """What is measured where nothing happens: the noise floor of every metric."""

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


class TrialSummary(FaultMetrics):
    """One trial; its metrics are those of its headline fault, the first one among the measured steps."""

    name: str
    scenario: str
    scenario_digest: str | None = Field(default=None, description="Of what the scenario asks for, its prose left out.")
    subject: str
    subject_version: str
    profile: str
    family: str
    lab: str
    accel: str | None
    trial: int
    restored: bool = Field(default=False, description="Whether its hosts came from memory, their set-up done.")
    verdict: TrialVerdict
    reason: str
    ping: PingSummary | None
    capture: CaptureSummary
    fault: Fault | None
    faults: list[FaultSummary]
    cuts: list[CutSummary] = Field(default=[])
    calibration: Calibration | None = None
    floor_s: float | None
    wall_s: float | None


class MetricStatistics(Frozen):
    """One metric over the decided trials of one scenario and subject, in seconds.

    `metric` is its name, of a trial's first fault, or with `second_` before it of its second one.
    """

    scenario: str
    subject: str
    profile: str
    metric: str = Field(validation_alias="quantity", serialization_alias="quantity")
    n: int
    undecided: int = Field(description="Trials that are not in n because nothing could be decided about them.")
    median: float
    q1: float
    q3: float
    p95: float
    min: float
    max: float
    interval: tuple[float, float] | None = Field(description="BCa at 95 % for the median; null below five values.")


class ClaimResult(Frozen):
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


class Summary(Frozen):
    """`results/runs/<id>/summary.json`."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    id: str
    started: str
    provenance: Provenance
    trials: list[TrialSummary]
    not_supported: list[NotSupported] = Field(default=[], description="What was asked for and cannot be done.")
    claims: list[ClaimResult]
    statistics: list[MetricStatistics] = Field(default=[], validation_alias="figures", serialization_alias="figures")
