"""One trial's folder made into the view that a report shows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from viplab.analysis.asked import digest
from viplab.analysis.blocked import blocked
from viplab.analysis.calibration import calibration, cuts
from viplab.analysis.fault_metrics import within
from viplab.analysis.fault_view import fault_view
from viplab.analysis.frame_rows import rows, vlan_words
from viplab.analysis.record import Record
from viplab.analysis.streams import Trip, loss_runs
from viplab.analysis.summary import TrialSummary
from viplab.analysis.swim_lanes import swim_lanes
from viplab.analysis.verdict import verdict
from viplab.analysis.views import AdvertSeen, FaultView, LogLine, LossRunView, RoundTrip, Step, Stream, TrialView
from viplab.capture.frames import Seen
from viplab.metrics import FaultMetrics
from viplab.types import HostName

_NS = 1_000_000_000
_HELD_UP_NS = 500_000_000  # as long as hosts are looked at twice a second


def view_trial(record: Record) -> TrialView:
    """Everything that is known of one trial, on one time axis."""
    zero_ns = record.faults[0].at_ns if record.faults else record.start_ns
    streams = record.streams
    faults = [fault_view(record, fault, until_ns, zero_ns) for fault, until_ns in record.windows()]
    info = record.info
    return TrialView(
        name=record.name,
        info=info,
        summary=_summary(record, faults),
        zero_ns=zero_ns,
        zero="fault" if record.faults else "start",
        start_s=(record.start_ns - zero_ns) / _NS,
        end_s=(record.end_ns - zero_ns) / _NS,
        scenario=record.scenario,
        config=record.config,
        steps=_steps(record, zero_ns),
        faults=faults,
        frames=rows(record, faults, zero_ns),
        adverts=[
            AdvertSeen(at_s=(advert.time_ns - zero_ns) / _NS, host=record.advertiser(advert), priority=advert.priority)
            for advert in record.adverts
        ],
        probe=_round_trips(streams["probe"], zero_ns),
        ping_trips=_round_trips(streams["ping"], zero_ns),
        loss_runs=[run for stream, trips in streams.items() for run in _loss_runs(stream, trips, zero_ns)],
        swim_lanes=swim_lanes(record, zero_ns),
        ping=record.ping,
        arp_before=_arp_text(record, "before"),
        arp_after=_arp_text(record, "after"),
        logs={host: _log(record, host, zero_ns) for host in info.hosts},
        notes=[*record.issues, *_notes(record, faults)],
    )


def _summary(record: Record, faults: Sequence[FaultView]) -> TrialSummary:
    info = record.info
    judged, reason = verdict(record, faults)
    headline = faults[0].summary if faults else None
    metrics = headline.model_dump(include=set(FaultMetrics.model_fields)) if headline else {}
    finished = record.all("trial_finished")
    return TrialSummary(
        name=record.name,
        scenario=info.scenario,
        scenario_digest=digest(record.asked) if record.scenario else None,
        subject=info.subject,
        subject_version=info.subject_version,
        profile=info.profile,
        family=info.family,
        lab=info.lab,
        accel=info.accel,
        trial=info.trial,
        restored=info.restored,
        verdict=judged,
        reason=reason,
        ping=record.ping.summary if record.ping else None,
        capture=record.capture,
        fault=headline.fault if headline else None,
        faults=[view.summary for view in faults],
        cuts=cuts(record),
        calibration=calibration(record),
        floor_s=_floor_s(record),
        wall_s=(finished[-1].t_ns - record.start_ns) / _NS if finished else None,
        **metrics,
    )


def _floor_s(record: Record) -> float | None:
    """The time for which the steps waited for the protocol: no bench, however quick, could have been done sooner."""
    finished = record.all("step_finished")
    return round(sum(event.get("waited_s") or 0.0 for event in finished), 3) if finished else None


def _steps(record: Record, zero_ns: int) -> list[Step]:
    steps: list[Step] = []
    for event in record.events:
        if event.event == "step_started":
            steps.append(
                Step(
                    text=str(event.get("step")),
                    phase="setup" if event.get("phase") == "setup" else "steps",
                    start_s=(event.t_ns - zero_ns) / _NS,
                    end_s=None,
                    waited_s=None,
                )
            )
        elif event.event == "step_finished" and steps:
            ended = {"end_s": (event.t_ns - zero_ns) / _NS, "waited_s": event.get("waited_s")}
            steps[-1] = steps[-1].model_copy(update=ended)
    return steps


def _round_trips(trips: Sequence[Trip], zero_ns: int) -> list[RoundTrip]:
    return [
        RoundTrip(
            seq=trip.seq,
            sent_s=(trip.sent_ns - zero_ns) / _NS,
            rtt_ms=None if trip.rtt_ns is None else trip.rtt_ns / 1e6,
            mac=trip.mac,
        )
        for trip in trips
    ]


def _loss_runs(stream: Stream, trips: Sequence[Trip], zero_ns: int) -> list[LossRunView]:
    return [
        LossRunView(
            stream=stream,
            start_s=(run.start_ns - zero_ns) / _NS,
            end_s=None if run.end_ns is None else (run.end_ns - zero_ns) / _NS,
            lost=run.lost,
        )
        for run in loss_runs(trips)
    ]


def _arp_text(record: Record, when: str) -> str | None:
    texts = [str(event.get("text", "")) for event in record.all("arp") if event.get("when") == when]
    return texts[-1] if texts else None


def _log(record: Record, host: HostName, zero_ns: int) -> list[LogLine]:
    offset = record.to_host_clock(host)
    return [
        LogLine(
            host=host,
            stamp=line.stamp,
            time_s=None if at_ns is None else (at_ns - zero_ns) / _NS,
            uncertainty_s=None
            if offset is None
            else (offset[1] + line.resolution_ns + _held_up_ns(record, host, at_ns)) / _NS,
            ident=line.ident,
            message=line.message,
            raw=line.raw,
        )
        for line in record.logs[host]
        for at_ns in (None if line.time_ns is None or offset is None else line.time_ns - offset[0],)
    ]


def _held_up_ns(record: Record, host: HostName, at_ns: int | None) -> int:
    """How late at most a line was stamped because its host waited for a processor just then."""
    return 0 if at_ns is None else record.run_delays.waited_ns(host, at_ns - _HELD_UP_NS, at_ns)


def _notes(record: Record, faults: Sequence[FaultView]) -> list[str]:
    notes = list(dict.fromkeys(why for why in record.timing.values() if isinstance(why, str)))
    outside = [
        run
        for run in loss_runs(record.trips)
        if not any(within(run, fault, until_ns) for fault, until_ns in record.windows())
    ]
    if faults and outside:
        notes.append(f"{sum(run.lost for run in outside)} echo requests were lost before the fault.")
    if record.carps:
        hosts = ", ".join(sorted({frame.src_ip for frame in record.carps}))
        notes.append(f"{len(record.carps)} CARP packets of {hosts} look like VRRP and were not counted as adverts.")
    notes += _vlans(record)
    for host, log in record.logs.items():
        lines = [*record.audit.get(host, []), *(line.raw for line in log)]
        notes += [f"On {host} {what}." for what in blocked(lines)]
    for event in record.all("restored"):
        ago_s = (event.t_ns - event["made_ns"]) / 1e9
        notes.append(f"The pair was {event.get('what')}, saved {ago_s:.0f} s before; memory/ has the set-up's record.")
    for view in faults:
        if view.summary.fault.width_ns > 100_000_000:
            width_s = view.summary.fault.width_ns / 1e9
            notes.append(f"The {view.summary.fault} is dated to an interval of {width_s:.3f} s.")
    return notes


def _vlans(record: Record) -> list[str]:
    """Which frames of the trial had VLAN tags: they were read as if they had none."""
    kinds: dict[str, Sequence[Seen]] = {
        "adverts": record.adverts,
        "ARP frames": record.arps,
        "neighbour discoveries": record.neighbours,
        "echo requests and replies": record.echoes,
    }
    notes = []
    for words, frames in kinds.items():
        for vlans, number in sorted(Counter(frame.vlans for frame in frames if frame.vlans).items()):
            notes.append(f"{number} of {len(frames)} {words} are tagged: VLAN {vlan_words(vlans)}.")
    return notes
