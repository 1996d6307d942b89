"""Pass, fail or undecided: two tables of rules over one trial, each rule a function that gives a reason or None.

A trial that could not be measured is undecided, and is never counted as pass or fail.
"""

from __future__ import annotations

from collections.abc import Sequence

from viplab.analysis.broken_off import broken_off, missed_words
from viplab.analysis.busy_hosts import BUSY
from viplab.analysis.calibration import cuts
from viplab.analysis.expectations import misses, nothing_shows, owner_at_end
from viplab.analysis.premises import PREMISES
from viplab.analysis.record import NETWORKS, Record
from viplab.analysis.summary import Fault, TrialVerdict
from viplab.analysis.timing_model import allowed_excess_s, allowed_outage_s, beyond_s, outage_slack_s
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses import WITNESSES
from viplab.analysis.witnesses.witness import Rule
from viplab.faults import Manner, Need, Part, Sign, fault_kind
from viplab.types import LAST_BURST, TO_BE_MASTER, Event

# A wall clock that moves against the monotonic one by more than this was stepped.
_CLOCK_STEP_NS = 1_000_000
_STEAL_SHARE = 0.1
# How late the probe may be: one request by no more than an outage may be off, one in twenty by an interval of it. A
# stall of the machine makes two or three late at once. On an idle two-core machine one in a hundred is 1 ms late.
_LATE_MOST_NS = 250_000_000
_LATE_OFTEN_NS, _LATE_SHARE = 20_000_000, 0.05
# A stranger on a busy machine makes up for what it was late with.
_SENT_SHARE = 0.9
# Predictions that differ by more than this share of an advert interval tell no daemon from another.
_WIDEST_INTERVALS = 0.5
# Of addresses that do not answer so many are named.
_NAMED = 3
_DAEMON_AFTER = {Sign.DAEMON_GONE: False, Sign.DAEMON_RUNS: True}
_RUNS = {True: "runs", False: "does not run"}


def verdict(record: Record, views: Sequence[FaultView]) -> tuple[TrialVerdict, str]:
    """Judge one trial; the reason names the first rule that it meets, undecided before fail.

    What meets no rule, but is of a daemon whose outages nobody can predict, is undecided, too.
    """
    if reason := _daemon_failed(record):
        return "fail", reason
    for rule in UNDECIDED:
        if reason := rule(record, views):
            return "undecided", reason
    for rule in FAIL:
        if reason := rule(record, views):
            return "fail", reason
    if unpredicted := next((view.unpredicted for view in views if view.unpredicted), None):
        return "undecided", unpredicted
    return "pass", _passed(record, views)


# --- undecided ---


def _broken_off(record: Record, views: Sequence[FaultView]) -> str | None:
    if what := broken_off(record.events):
        return f"the trial was broken off: {what}"
    return None if record.all("trial_finished") else "the trial was broken off: its timeline has no end"


def _host_gone(record: Record, views: Sequence[FaultView]) -> str | None:
    """A host that runs no more, though no fault ended it: its guest crashed, or the machine ended that."""
    looks = [set(event["hosts"]) for event in record.all("run_delay")]
    ended = {begin.get("host") for begin, _, kind in record.injected if kind.ends(Part.HOST)}
    gone = set().union(*looks) - looks[-1] - ended if looks else set()
    return f"{min(gone)} was gone before the end, and nothing was to end it" if gone else None


def _evidence_missing(record: Record, views: Sequence[FaultView]) -> str | None:
    return record.issues[0] if record.issues else nothing_shows(record)


def _capture_dropped(record: Record, views: Sequence[FaultView]) -> str | None:
    stopped = {event.get("network"): event.get("dropped") for event in record.all("capture_stopped")}
    for network in NETWORKS:
        if stopped.get(network) is None:
            return f"the capture on {network} does not say whether it dropped packets"
        if stopped[network]:
            return f"the capture on {network} dropped {stopped[network]} packets"
    return None


def _spanning_tree(record: Record, views: Sequence[FaultView]) -> str | None:
    """It makes no difference to ports that forward since before, while nothing but daemons is touched."""
    untouched = all(kind.part is Part.DAEMON for _, _, kind in record.injected)
    for event in record.all("environment"):
        if event.get("stp") and not (event.get("stp_before") is True and untouched):
            return "STP is on: a bridge port that comes back waits, which would be measured as failover time"
    return None


def _overloaded(record: Record, views: Sequence[FaultView]) -> str | None:
    if record.all("check") and not views:
        return None  # a set-up that is looked at, with nothing timed: a busy host makes it no less true
    for event in record.all("environment"):
        steal = event.get("steal_share")
        if steal is not None and steal > _STEAL_SHARE:
            return f"the host was overloaded: {steal:.0%} of its CPU time was stolen"
    late = sorted(record.lateness_ns)
    if late and late[-1] > _LATE_MOST_NS:
        return f"the host was overloaded: the probe sent a request {late[-1] / 1e6:.0f} ms late"
    share = sum(ns > _LATE_OFTEN_NS for ns in late) / max(1, len(late))
    if share > _LATE_SHARE:
        return (
            f"the host was overloaded: {share:.0%} of the probe's requests were over {_LATE_OFTEN_NS / 1e6:.0f} ms late"
        )
    return None


def _http_held_up(record: Record, views: Sequence[FaultView]) -> str | None:
    if not record.all("http_started"):
        return None
    stopped = record.all("http_stopped")
    if not stopped:
        return "the HTTP probe broke off"
    if withheld := stopped[-1].get("withheld"):
        return f"the host was overloaded: {withheld} HTTP requests were not sent, so many were under way"
    late_ns = max(
        (request.sent_ns - request.due_ns for request in record.http if request.connection == "new"), default=0
    )
    if late_ns > _LATE_MOST_NS:
        return f"the host was overloaded: the HTTP probe sent a request {late_ns / 1e6:.0f} ms late"
    return None


def _clock_stepped(record: Record, views: Sequence[FaultView]) -> str | None:
    apart = [int(event["realtime_ns"]) - int(event["monotonic_ns"]) for event in record.all("clock")]
    if len(apart) < 2:
        return "the host's clock was not read at both ends of the trial"
    step_ns = max(apart) - min(apart)
    return f"the host's clock was stepped by {step_ns / 1e6:.3f} ms" if step_ns > _CLOCK_STEP_NS else None


def _unread_fault(record: Record, views: Sequence[FaultView]) -> str | None:
    return record.unread_faults[0] if record.unread_faults else None


def _dated_too_widely(record: Record, views: Sequence[FaultView]) -> str | None:
    """Where what should have happened depends on when the fault struck, and that is not known well enough."""
    for view in views:
        window, fault, terms = view.summary.outage_window_s, view.summary.fault, view.outage
        node = record.info.nodes.get(fault.host or "")
        # A sum that is only the most that it can be has a wide window whatever the fault's time.
        if window is None or node is None or terms is None or not terms.less_x or terms.at_most:
            continue
        if fault_kind(fault.kind).manner is Manner.LATER:
            continue
        if window[1] - window[0] - record.held_back_s > _WIDEST_INTERVALS * node.advert_int_s:
            width_s = fault.width_ns / 1e9
            return f"{fault} is dated to an interval of {width_s:.3f} s, too wide to say what outage it should make"
    return None


def _did_not_take(record: Record, views: Sequence[FaultView]) -> str | None:
    return _unseen(record) or _daemon_contradicts(record) or _went_on_advertising(record, views)


def _unseen(record: Record) -> str | None:
    for begin, end, kind in record.injected:
        said = kind.said(begin.get("host"))
        if Sign.HEALED in kind.signs and end is None:
            return f"a fault cannot be judged ({said}): nobody healed it"
        if Sign.REQUESTS in kind.signs and not record.trips:
            return f"a fault cannot be judged ({said}): no stream of requests saw it"
        # Runs made before November 2026 did not count.
        counted = end.get("frames") if end is not None else None
        if Sign.FRAMES_DROPPED in kind.signs and counted == 0 and _drawn(begin):
            return f"a fault cannot be judged ({said}): chance has drawn none to be lost"
        if Sign.FRAMES_DROPPED in kind.signs and counted == 0:
            return f"a fault did not take ({said}): no frame was dropped"
        if Sign.FRAMES_SENT in kind.signs and end is not None and (short := _fell_short(end)):
            return f"a fault did not last ({said}): {short}"
        if Sign.FRAMES_SENT in kind.signs and not counted:
            return f"a fault did not take ({said}): no frame was sent"
    return None


def _fell_short(healed: Event) -> str | None:
    """Why frames that were to be sent again and again were not; runs made before November 2026 did not say."""
    frames, due, failed = healed.get("frames") or 0, healed.get("due") or 0, healed.get("failed")
    if frames >= _SENT_SHARE * (due - 1) and failed is None:
        return None
    return f"{frames} of {due} frames were sent" + (f" ({failed})" if failed else "")


def _drawn(injected: Event) -> bool:
    """Whether chance draws whom a fault strikes, advert by advert."""
    share = injected.get("share")
    return isinstance(share, int | float) and share < 1


def _chance(record: Record, views: Sequence[FaultView]) -> str | None:
    """Where chance draws what is lost, and it was enough to move the address, it drew the seconds as well."""
    drawn = [kind.said(begin.get("host")) for begin, _, kind in record.injected if _drawn(begin)]
    if not drawn or not any(view.new_master for view in views):
        return None
    too_long = next((miss.reason for miss in misses(record) if miss.by_s is not None), None)
    return f"{too_long}: chance drew which were lost ({drawn[0]})" if too_long else None


def _daemon_contradicts(record: Record) -> str | None:
    """What a guest says of its daemon after a fault that should have ended or started it."""
    for fault, until_ns in record.windows():
        kind = fault_kind(fault.kind)
        if kind.change is None:
            continue  # whether a daemon outlives what ends none is what such a fault asks
        wanted = {_DAEMON_AFTER[sign] for sign in kind.signs if sign in _DAEMON_AFTER}
        runs = _daemon_runs(record, fault, until_ns)
        if wanted and runs is not None and runs not in wanted:
            return f"the fault did not take: after {fault.kind} the daemon of {fault.host} {_RUNS[runs]}"
    return None


def _daemon_runs(record: Record, fault: Fault, until_ns: int) -> bool | None:
    """What the host of a fault said last of its daemon, after that fault and before the next; None if nothing."""
    said = [
        event.get("daemon")
        for event in record.all("holds")
        if event.get("host") == fault.host and fault.latest_ns < event.t_ns < until_ns
    ]
    return said[-1] if said else None


def _went_on_advertising(record: Record, views: Sequence[FaultView]) -> str | None:
    for view, (fault, until_ns) in zip(views, record.windows(), strict=True):
        kind = fault_kind(fault.kind)
        untracked = kind.ends(Part.LINK) and not record.info.tracked
        if fault.host not in record.info.nodes or Sign.ADVERTS_END not in kind.signs or untracked:
            continue
        interval_ns = record.info.nodes[fault.host].advert_int_s * 1e9
        last = [advert.time_ns for advert in record.adverts_of(fault.host)][-1:]
        went_on = bool(last) and until_ns - 2 * interval_ns < last[0] <= until_ns
        if went_on and view.new_master is None:
            return f"the fault did not take: {fault.host} went on advertising after {fault.kind}"
    return None


UNDECIDED: tuple[Rule, ...] = (
    _broken_off,
    _host_gone,
    _evidence_missing,
    _unread_fault,
    _capture_dropped,
    _spanning_tree,
    _clock_stepped,
    _overloaded,
    _http_held_up,
    *PREMISES,
    _dated_too_widely,
    *BUSY,
    _did_not_take,
    _chance,
    *(witness.rule for witness in WITNESSES),
)


# --- fail ---


def _daemon_failed(record: Record) -> str | None:
    """Comes before all doubts, which are about measuring: there was nothing to measure."""
    return next((str(event.get("message")) for event in record.all("daemon_failed")), None)


def _daemon_lost(record: Record, views: Sequence[FaultView]) -> str | None:
    """A daemon that should have gone on after a fault that ends none, such as a reload, and does not run."""
    for fault, until_ns in record.windows():
        kind = fault_kind(fault.kind)
        goes_on = kind.change is None and Sign.DAEMON_RUNS in kind.signs
        if goes_on and _daemon_runs(record, fault, until_ns) is False:
            return f"after the {fault.kind} of {fault.host} its daemon does not run any more"
    return None


def _daemon_ended(record: Record, views: Sequence[FaultView]) -> str | None:
    """A daemon that was started, and at the end does not run, though nothing that was done ends it.

    Whether one outlives the loss of one of its processes is what such a fault asks.
    """
    runs = {str(event.get("host")) for event in record.all("daemon_started")}
    runs |= {str(host) for event in record.all("restored") for host in event["hosts"]}
    for begin, _, kind in record.injected:
        if kind.begins_daemon:
            runs.add(begin["host"])
        elif kind.ends_daemon or Need.PARENT in kind.needs:
            runs.discard(begin["host"])
    ended = [event["host"] for event in record.all("holds") if event.get("daemon") is False and event["host"] in runs]
    return f"the daemon of {ended[0]} does not run at the end, and nothing was to end it" if ended else None


def _missed(record: Record, views: Sequence[FaultView]) -> str | None:
    return next((missed_words(event) + _silent_master(record, event) for event in record.all("missed")), None)


def _silent_master(record: Record, event: Event) -> str:
    """Of a host that was master all the while that it was waited for, what was missing."""
    since_ns = event.t_ns - round(event["within_s"] * 1e9)
    if not record.info.advertises:
        return _silent_owner(record, event, since_ns)
    waited = (frame for frame in record.adverts if since_ns <= frame.time_ns <= event.t_ns and frame.priority)
    last = max(waited, key=lambda frame: frame.time_ns, default=None)
    host = record.advertiser(last) if last else None
    since = [frame for frame in record.announcements if since_ns <= frame.time_ns <= event.t_ns]
    for_it = event["what"] in (TO_BE_MASTER.format(host), LAST_BURST.format(host))
    if not for_it or any(record.sender(frame) == host for frame in since):
        return ""
    return f": {host} advertised and did not announce the VIP"


def _silent_owner(record: Record, event: Event, since_ns: int) -> str:
    """The same where nobody advertises: it answered for the VIP in the end, and never said so of itself."""
    census = record.owners(since_ns, event.t_ns)
    owners = census[-1][2] if census else []
    announced = any(since_ns <= frame.time_ns <= event.t_ns for host in owners for frame in record.claims_of(host))
    if len(owners) != 1 or announced or event["what"] not in (TO_BE_MASTER.format(*owners), LAST_BURST.format(*owners)):
        return ""
    return f": {owners[0]} answered for the VIP and did not announce it"


def _setup_check_failed(record: Record, views: Sequence[FaultView]) -> str | None:
    # One that is null looked for what this lab does not have.
    failed = [f"{e.get('claim')} ({e.get('detail')})" for e in record.all("check") if e.get("ok") is False]
    return f"set-up checks failed: {', '.join(failed)}" if failed else None


def _expectation_missed(record: Record, views: Sequence[FaultView]) -> str | None:
    return next((miss.reason for miss in misses(record)), None)


def _outage_off(record: Record, views: Sequence[FaultView]) -> str | None:
    for view in views:
        measured, window = view.summary.outage_s, view.summary.outage_window_s
        if measured is None or window is None:
            continue
        if beyond_s(measured, allowed_outage_s(window, record.interval_s)):
            slack = f"slack {outage_slack_s(record.interval_s):.2f} s"
            return f"{view.summary.fault}: outage {measured:.3f} s, predicted {_span(window)} s ({slack})"
    return None


def _deadline_off(record: Record, views: Sequence[FaultView]) -> str | None:
    low, high = allowed = allowed_excess_s(record.held_back_s)
    for view in views:
        excess = view.summary.deadline_excess_s
        if excess is not None and beyond_s(excess, allowed):
            said = f"{low:+.2f} to {high:+.2f} s"
            return f"{view.summary.fault}: first advert {excess:+.3f} s off its deadline, allowed {said}"
    return None


def _instrument_off(record: Record, views: Sequence[FaultView]) -> str | None:
    for cut in cuts(record):
        if cut.within is False:
            measured = f"{cut.measured_s:.6f} s by time stamp, {cut.measured_loss_s:.6f} s by loss"
            return f"a cut of {cut.true_s:.6f} s was measured as {measured}: more than an interval off"
    return None


def _address_unanswered(record: Record, views: Sequence[FaultView]) -> str | None:
    for event in record.all("unanswered"):
        if missing := [str(address) for address in event.get("addresses", [])]:
            named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
            return f"at the end {len(missing)} of {len(record.info.vips)} virtual addresses did not answer: {named}"
    return None


FAIL: tuple[Rule, ...] = (
    _missed,
    _daemon_lost,
    _daemon_ended,
    _setup_check_failed,
    _expectation_missed,
    _address_unanswered,
    _outage_off,
    _deadline_off,
    _instrument_off,
)


def _span(window: tuple[float, float]) -> str:
    low, high = window
    return f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"


def _passed(record: Record, views: Sequence[FaultView]) -> str:
    owner = owner_at_end(record)
    parts = [f"{owner} owns {record.info.vip} at the end"] if owner else []
    for view in views:
        measured, window = view.summary.outage_s, view.summary.outage_window_s
        if measured is not None:
            predicted = f" (predicted {_span(window)} s)" if window else ""
            parts.append(f"{view.summary.fault}: outage {measured:.3f} s{predicted}")
    for cut in cuts(record):
        if cut.measured_s is not None:
            parts.append(f"cut of {cut.true_s:.3f} s measured as {cut.measured_s:.3f} s")
    return "; ".join(parts) or "every check holds"
