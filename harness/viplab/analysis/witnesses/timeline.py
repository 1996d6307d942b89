"""The timeline against itself, against the scenario that was asked for, and against the order of cause and effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from viplab.analysis.asked import steps, strikes
from viplab.analysis.record import Record
from viplab.analysis.streams import loss_runs
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses.witness import Rule, Witness
from viplab.faults import Manner, Part, UnknownFaultError, fault_kind, known
from viplab.types import Event

# Those that one thread writes, one after the other, as they happen.
_IN_ORDER = frozenset(
    (
        *("trial_started", "capture_started", "capture_stopped", "step_started", "step_finished", "probe_started"),
        *("probe_stopped", "http_started", "http_stopped", "ping_started", "ping_stopped", "check", "missed", "error"),
        *("service_started", "trial_finished"),
    )
)
_ORDER_NS = 1_000_000
_CLOCK_READ_NS = 100_000_000
_WAITED_S = 0.01
_MARKER_NS = 1_000_000
# The bench hears an advert and sleeps up to the place: its own scheduling.
_PLACE_NS = 30_000_000
# A `wait` ends with the frame that it waited for.
_WAIT_LATE_NS, _WAIT_EARLY_NS = 50_000_000, 1_000_000
_AFTER_END_NS = 20_000_000
_NEGATIVE_S = 0.02


def _order(record: Record, views: Sequence[FaultView]) -> str | None:
    if record.events and record.events[0].event != "trial_started":
        return "the timeline does not begin with the trial's start"
    ordered = [event for event in record.events if event.event in _IN_ORDER]
    for before, after in pairwise(ordered):
        if after.t_ns < before.t_ns - _ORDER_NS:
            apart_s = (before.t_ns - after.t_ns) / 1e9
            return f"{after.event} is {apart_s:.3f} s before {before.event}, after which it was written"
    for event in record.all("clock"):
        apart_ns = event.t_ns - int(event["realtime_ns"])
        if abs(apart_ns) > _CLOCK_READ_NS:
            return f"the timeline and the clock that it read are {apart_ns / 1e9:.3f} s apart"
    return None


def _steps(record: Record, views: Sequence[FaultView]) -> str | None:
    begun: Event | None = None
    for event in record.events:
        if event.event == "step_started":
            begun = event
        elif event.event == "step_finished":
            if begun is None or begun.get("step") != event.get("step"):
                return f"the step {event.get('step')!r} was finished and had not been started"
            waited_s, took_s = event.get("waited_s") or 0.0, (event.t_ns - begun.t_ns) / 1e9
            if waited_s > took_s + _WAITED_S:
                return f"the step {event.get('step')!r} took {took_s:.3f} s and waited for {waited_s:.3f} s"
    return None


def _in_step(record: Record, views: Sequence[FaultView]) -> str | None:
    steps = [event for event in record.events if event.event in ("step_started", "step_finished")]
    does_faults = any(str(event.get("step")).partition(":")[0] in known() for event in steps)
    for fault in record.all("fault_injected") if does_faults else ():
        before_ns, after_ns = _bracket(fault)
        words = f"{fault.get('kind')} of {fault.get('host') or fault.get('station')}"
        begun = [
            event
            for event in steps
            if event.event == "step_started" and _is_about(event, fault) and event.t_ns <= before_ns + _ORDER_NS
        ]
        if not begun:
            return f"the {words} is dated into no step that does it"
        ended = [event for event in steps if event.t_ns >= begun[-1].t_ns and event.event == "step_finished"]
        if ended and ended[0].t_ns < after_ns - _ORDER_NS:
            return f"the {words} is dated {(after_ns - ended[0].t_ns) / 1e9:.3f} s beyond the end of its step"
    return None


def _is_about(step: Event, fault: Event) -> bool:
    kind, _, whom = str(step.get("step")).partition(":")
    host = fault.get("host")
    return kind == fault.get("kind") and (host is None or str(host) in whom.replace(",", " ").split())


def _bracket(fault: Event) -> tuple[int, int]:
    before, after = fault.get("before_ns"), fault.get("after_ns")
    return fault.t_ns if before is None else before, fault.t_ns if after is None else after


def _marker(record: Record, views: Sequence[FaultView]) -> str | None:
    for fault in record.all("fault_injected"):
        token = fault.get("marker")
        if not token:
            continue
        words = f"the marker of the {fault.get('kind')} of {fault.get('host')}"
        seen = [marker.time_ns for marker in record.markers if str(token).encode() in marker.payload]
        if not seen:
            return f"{words} is not in the capture on mgmt"
        before_ns, after_ns = _bracket(fault)
        outside_ns = max(before_ns - seen[0], seen[0] - after_ns)
        if outside_ns > _MARKER_NS:
            return f"{words} is {outside_ns / 1e6:.3f} ms outside the time in which it was sent"
    return None


def _place(record: Record, views: Sequence[FaultView]) -> str | None:
    for fault in record.all("fault_injected"):
        place, host = fault.get("place"), fault.get("host")
        if not isinstance(place, float | int) or host not in record.info.nodes:
            continue
        before_ns, _ = _bracket(fault)
        asked_ns = place * 1e9 * record.info.nodes[host].advert_int_s
        until_ns = before_ns + _PLACE_NS
        adverts = [advert.time_ns for advert in record.adverts if advert.priority and advert.time_ns <= until_ns]
        off_ns = min((abs(before_ns - advert_ns - asked_ns) for advert_ns in adverts[-3:]), default=None)
        if off_ns is None or off_ns > _PLACE_NS:
            off = "no advert is before it" if off_ns is None else f"it is {off_ns / 1e6:.0f} ms off"
            return f"the {fault.get('kind')} of {host} was to be {asked_ns / 1e9:.3f} s after an advert, and {off}"
    return None


def _waits(record: Record, views: Sequence[FaultView]) -> str | None:
    for event in record.all("step_finished"):
        kind, _, what = str(event.get("step")).partition(": ")
        wanted, _, host = what.partition(" ")
        host = host.partition(",")[0]
        if kind != "wait" or wanted not in ("master", "announced") or not event.get("waited_s"):
            continue
        if host not in record.info.nodes:
            continue
        seen = [frame.time_ns for frame in record.announcements if record.sender(frame) == host]
        seen += [advert.time_ns for advert in record.adverts_of(host)]
        since_ns, until_ns = event.t_ns - _WAIT_LATE_NS, event.t_ns + _WAIT_EARLY_NS
        if not any(since_ns <= time_ns <= until_ns for time_ns in seen):
            return f"the wait for {host} to be {wanted} ended, and no frame of {host} is where it did"
    return None


def _cause_first(record: Record, views: Sequence[FaultView]) -> str | None:
    trips, interval_ns = record.trips, record.interval_s * 1e9
    runs = loss_runs(trips)
    for number, (fault, _) in enumerate(record.windows()):
        since_ns = record.faults[number - 1].at_ns if number else record.start_ns
        spanning = [run for run in runs if run.start_ns < fault.earliest_ns - 2 * interval_ns]
        spanning = [run for run in spanning if run.end_ns is None or run.end_ns > fault.at_ns]
        for run in spanning:
            if any(since_ns < trip.sent_ns < run.start_ns and trip.rtt_ns is not None for trip in trips):
                before_s = (fault.earliest_ns - run.start_ns) / 1e9
                return f"requests went unanswered {before_s:.3f} s before the {fault}"
    return None


def _silent_after(record: Record, views: Sequence[FaultView]) -> str | None:
    for event, until_ns in _until_next(record):
        kind, host = str(event.get("kind")), event.get("host")
        if not _ends_host(kind):
            continue
        _, after_ns = _bracket(event)
        since_ns = after_ns + _AFTER_END_NS
        sent = [advert.time_ns for advert in record.adverts_of(host)]
        sent += [trip.sent_ns for trip in record.trips if record.host_by_mac(trip.mac) == host]
        late = [time_ns for time_ns in sent if since_ns < time_ns < until_ns]
        if late:
            return f"{host} was heard {(late[0] - after_ns) / 1e9:.3f} s after the {kind}"
    return None


def _ends_host(name: str) -> bool:
    """Whether nothing of the host goes on from that moment."""
    try:
        kind = fault_kind(name)
    except UnknownFaultError:
        return False
    return kind.ends(Part.HOST) and kind.manner is Manner.AT_ONCE


def _until_next(record: Record) -> Iterator[tuple[Event, int]]:
    """Each fault with the moment at which the next thing is done to the same host."""
    faults = record.all("fault_injected")
    for event in faults:
        again = [other.t_ns for other in faults if other.get("host") == event.get("host") and other.t_ns > event.t_ns]
        yield event, min(again, default=record.end_ns + 1)


def _durations(record: Record, views: Sequence[FaultView]) -> str | None:
    for view in views:
        summary = view.summary
        unsure_s = summary.fault.width_ns / 1e9
        for name, least_s in (
            ("detection_s", -unsure_s),
            ("failover_s", -unsure_s),
            ("reversion_s", -unsure_s),
            ("announce_s", -_NEGATIVE_S),
            ("client_switch_s", -_NEGATIVE_S),
            ("outage_s", 0.0),
            ("dual_owner_s", 0.0),
        ):
            value = getattr(summary, name)
            if value is not None and value < least_s - 1e-6:
                return f"{name} of the {summary.fault} is {value:.6f} s: effect before cause"
    return None


def _as_asked(record: Record, views: Sequence[FaultView]) -> str | None:
    return next(_unlike(record), None)


def _unlike(record: Record) -> Iterator[str]:
    """What `trial.json` and the timeline say otherwise than the scenario asks for, as far as that says it."""
    asked, info = record.asked, record.info
    vrrp, probe, http = (_mapping(asked.get(name)) for name in ("vrrp", "probe", "http"))
    pairs: list[tuple[str, Any, Any]] = [
        ("scenario", asked.get("scenario"), info.scenario),
        ("VIP", vrrp.get("vip"), info.vip),
        ("virtual router id", vrrp.get("virtual_router_id"), info.virtual_router_id),
        ("tracked interfaces", vrrp.get("track_interface"), info.tracked),
        ("probe", probe.get("kind"), info.probe_kind),
        ("rate of the probe", probe.get("rate"), _rate(info.probe_interval_s)),
        ("rate of HTTP requests", http.get("rate"), _rate(info.http_interval_s)),
    ]
    for host, node in info.nodes.items():
        given = _mapping(_mapping(asked.get("hosts")).get(host))
        pairs += [
            (f"advert interval of {host}", vrrp.get("advert_int"), node.advert_int_s),
            (f"priority of {host}", given.get("priority"), node.priority),
            (f"state of {host}", given.get("state"), node.state),
        ]
    yield from (
        f"{name}: {was} in trial.json, {what} in the scenario" for name, what, was in pairs if what not in (None, was)
    )
    if isinstance(asked.get("steps"), list) and not record.all("error") and not record.all("missed"):
        words = [word for word, argument in steps(asked, "steps") for _ in range(strikes(argument))]
        done = [str(e.get("kind")) for e in record.all("fault_injected") if e.get("phase", "steps") == "steps"]
        wanted = [word for word in words if word in {*done, *known()}]
        if done != wanted:
            asks, has = (", ".join(kinds) or "no fault" for kinds in (wanted, done))
            yield f"the scenario asks for {asks}; the timeline has {has}"


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _rate(interval_s: float | None) -> float | None:
    return round(1 / interval_s, 6) if interval_s else None


def _witness(name: str, compares: str, tolerance: str, rule: Rule, needs: str = "-") -> Witness:
    return Witness(name, compares, needs, tolerance, rule)


WITNESSES = (
    _witness(
        "order of events", "each event with the one before it, and with the clock", "1 ms; 0.1 s to the clock", _order
    ),
    _witness("steps", "each step's end with its beginning and the time for which it waited", "10 ms", _steps),
    _witness(
        "faults and steps", "each fault with the step that does it", "1 ms", _in_step, "a step for each, where any has"
    ),
    _witness("marker", "the marker of a fault with its bracket", "1 ms", _marker, "the marker that the timeline names"),
    _witness("place", "a fault with the place in the advert interval that it was given", "30 ms: scheduling", _place),
    _witness("waits", "the end of a wait with the frame that ended it", "50 ms late, 1 ms early", _waits),
    _witness("cause before effect", "the beginning of an outage with the fault", "two intervals", _cause_first),
    _witness("silence after the end", "what a host sends with when its power was cut", "20 ms", _silent_after),
    _witness("durations", "each duration with zero", "the fault's uncertainty; 20 ms across captures", _durations),
    _witness("as asked", "`trial.json` and the faults of the timeline with the scenario", "none", _as_asked),
)
