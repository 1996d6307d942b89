"""The table of metrics: what is measured of one fault, each metric defined once, at the field that holds it.

A metric is a field of `FaultMetrics` with a `Metric` in its annotation. What is made of metrics reads `METRICS`:
trials.csv, statistics over trials, comparisons, the report, claims, and the tables of docs/. So a new metric is a field
here and the function of `viplab.analysis.fault_metrics` that computes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, IntEnum, auto
from typing import Annotated, Literal

from viplab.types import Frozen


class Stage(IntEnum):
    """The part of a failover that a metric belongs to; tables have the metrics in this order."""

    FAULT = auto()
    TAKEOVER = auto()
    ANSWER = auto()
    OUTAGE = auto()
    OWNERS = auto()


class Shown(Flag):
    """Where a metric is shown."""

    CSV = auto()
    """A column of trials.csv."""
    CLAIMS = auto()
    """Claims and puzzles may ask for it."""
    STATISTICS = auto()
    """Described over the trials of a run, and kept in baselines."""
    COMPARISON = auto()
    """A row of `viplab compare`."""
    GATE = auto()
    """The exit status of `viplab compare` depends on it."""
    REPORT = auto()
    """A row of the report's tables of a trial and of a case."""
    GLANCE = auto()
    """A column of the tables that show a whole run: the report's first page, Markdown, the terminal."""
    SIDES = auto()
    """A row of the report's tables of two sides, runs or subjects."""
    PLOT = auto()
    """A panel of the report's plot of every trial."""


KEPT = Shown.CSV | Shown.CLAIMS
COMPARED = KEPT | Shown.STATISTICS | Shown.COMPARISON


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What one metric is; its name is that of its field, and ends in `_s` where it is a duration.

    `title` is what the report calls it, `short` the same in the narrow columns of a terminal. Only a run that asks over
    HTTP has a metric that is `over_http`.
    """

    meaning: str
    unit: Literal["s", "adverts", "requests", ""]
    stage: Stage
    shown: Shown
    title: str = ""
    short: str = ""
    over_http: bool = False
    from_fault: Literal["begins", "ends"] | None = None
    """Whether it begins or ends at the fault, so that it is as uncertain as the fault's time is."""

    @property
    def words(self) -> str:
        """The title as it stands within a sentence."""
        return self.title[:1].lower() + self.title[1:]


class FaultMetrics(Frozen):
    """What one fault did, every value None where it was not measured; the terms are those of docs/run-folder.md.

    The order of the fields is that of the keys in summary.json.
    """

    expected_down_interval_s: Annotated[
        float | None,
        Metric(
            meaning="Master_Down_Interval of the host that took over",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=KEPT,
        ),
    ] = None
    detection_s: Annotated[
        float | None,
        Metric(
            meaning="from the fault to the first advert of the new master",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=COMPARED | Shown.REPORT | Shown.GLANCE | Shown.SIDES,
            title="Takeover",
            short="takeover",
            from_fault="begins",
        ),
    ] = None
    deadline_excess_s: Annotated[
        float | None,
        Metric(
            meaning="from the deadline of the new master, by its own timers, to its first advert",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=COMPARED | Shown.GATE | Shown.REPORT | Shown.GLANCE | Shown.SIDES | Shown.PLOT,
            title="Deadline excess",
            short="excess",
        ),
    ] = None
    announce_s: Annotated[
        float | None,
        Metric(
            meaning="from the first advert of the new master to its first announcement (gratuitous ARP, or ND)",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=COMPARED | Shown.REPORT,
            title="Announcement",
        ),
    ] = None
    announced_all_s: Annotated[
        float | None,
        Metric(
            meaning="from the first advert of the new master to the first announcement of the last of several "
            "virtual addresses",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=KEPT | Shown.STATISTICS,
        ),
    ] = None
    client_switch_s: Annotated[
        float | None,
        Metric(
            meaning="from the first announcement of the new master to the change of the neighbour entry on the client",
            unit="s",
            stage=Stage.TAKEOVER,
            shown=COMPARED | Shown.REPORT,
            title="Switch of the client",
        ),
    ] = None
    event: Annotated[
        Literal["failover", "reversion"] | None,
        Metric(
            meaning="`failover` where another host took over from one that was lost, `reversion` where a host came "
            "back and took over",
            unit="",
            stage=Stage.FAULT,
            shown=KEPT,
        ),
    ] = None
    outage_s: Annotated[
        float | None,
        Metric(
            meaning="from the first request lost to the first one answered again, summed over the loss runs; 0 where "
            "none was lost",
            unit="s",
            stage=Stage.OUTAGE,
            shown=COMPARED | Shown.REPORT | Shown.GLANCE | Shown.SIDES | Shown.PLOT,
            title="Client without an answer",
            short="outage",
        ),
    ] = None
    outage_loss_s: Annotated[
        float | None,
        Metric(
            meaning="the outage by loss: requests lost, times the interval between two requests",
            unit="s",
            stage=Stage.OUTAGE,
            shown=COMPARED,
        ),
    ] = None
    lost: Annotated[
        int | None,
        Metric(meaning="requests without an answer", unit="requests", stage=Stage.OUTAGE, shown=KEPT),
    ] = None
    recovered_s: Annotated[
        float | None,
        Metric(
            meaning="from the fault to the end of the first loss run after which nothing is lost for 5 s; 0 where "
            "nothing was lost",
            unit="s",
            stage=Stage.OUTAGE,
            shown=COMPARED,
            from_fault="begins",
        ),
    ] = None
    answered_twice: Annotated[
        int | None,
        Metric(meaning="requests that more than one MAC answered", unit="requests", stage=Stage.OWNERS, shown=KEPT),
    ] = None
    http_outage_s: Annotated[
        float | None,
        Metric(
            meaning="from the first failed HTTP request over a new connection to the first one answered from which on "
            "none fails for 5 s; 0 where none failed, null where it was not seen to end",
            unit="s",
            stage=Stage.OUTAGE,
            shown=COMPARED | Shown.REPORT | Shown.SIDES,
            title="Application without an answer",
            over_http=True,
        ),
    ] = None
    failover_s: Annotated[
        float | None,
        Metric(
            meaning="from the loss of the master to the first answer of the new one under the VIP",
            unit="s",
            stage=Stage.ANSWER,
            shown=COMPARED,
            from_fault="begins",
        ),
    ] = None
    # For how long there are two owners depends on when the trial ends, and where the fault struck is chance: neither is
    # compared.
    dual_owner_s: Annotated[
        float | None,
        Metric(
            meaning="time for which more than one host answered for the VIP, by the owner census",
            unit="s",
            stage=Stage.OWNERS,
            shown=KEPT | Shown.STATISTICS | Shown.REPORT | Shown.GLANCE,
            title="Two owners",
            short="two owners",
        ),
    ] = None
    reversion_s: Annotated[
        float | None,
        Metric(
            meaning="from the return of a host to its first answer under the VIP",
            unit="s",
            stage=Stage.ANSWER,
            shown=COMPARED | Shown.REPORT,
            title="Reversion",
            from_fault="begins",
        ),
    ] = None
    x_s: Annotated[
        float | None,
        Metric(
            meaning="from the last advert of the old master before the fault to the fault",
            unit="s",
            stage=Stage.FAULT,
            shown=KEPT | Shown.STATISTICS,
            from_fault="ends",
        ),
    ] = None
    priority_zero: Annotated[
        int | None,
        Metric(
            meaning="adverts of priority 0 that the old master sent after the fault",
            unit="adverts",
            stage=Stage.TAKEOVER,
            shown=KEPT,
        ),
    ] = None
    outage_window_s: tuple[float, float] | None = None
    """Where the timing model puts the outage: a prediction, and so no metric."""


def _table() -> dict[str, Metric]:
    found = {
        name: metric
        for name, field in FaultMetrics.model_fields.items()
        for metric in field.metadata
        if isinstance(metric, Metric)
    }
    return dict(sorted(found.items(), key=lambda item: item[1].stage))


METRICS = _table()
"""Every metric by its name, in the order of tables."""

SECOND = "second_"
"""Stands before the name of a metric where it is that of a trial's second fault; without it, of its first."""


def named(name: str) -> Metric:
    """The metric of that name, be it of a first or of a second fault."""
    return METRICS[name.removeprefix(SECOND)]


def shown_in(where: Shown) -> dict[str, Metric]:
    """The metrics that are shown there, by name, in the order of tables."""
    return {name: metric for name, metric in METRICS.items() if where in metric.shown}


def markdown() -> str:
    """The table of metrics for docs/run-folder.md."""
    rows = ["| metric | unit | what it is | over trials | compared | in the report |", "|---|---|---|---|---|---|"]
    for name, metric in METRICS.items():
        over_trials = "yes" if Shown.STATISTICS in metric.shown else ""
        compared = "decides" if Shown.GATE in metric.shown else "yes" if Shown.COMPARISON in metric.shown else ""
        rows.append(f"| `{name}` | {metric.unit} | {metric.meaning} | {over_trials} | {compared} | {metric.title} |")
    return "\n".join(rows)
