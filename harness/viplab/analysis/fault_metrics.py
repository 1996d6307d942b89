"""What one fault did: its moments, and the metrics derived from them. Terms as in docs/run-folder.md."""

from __future__ import annotations

from typing import Literal

from viplab.analysis import application, outage
from viplab.analysis.record import Claim, Record
from viplab.analysis.streams import LossRun, loss_runs
from viplab.analysis.summary import Application, Fault
from viplab.analysis.timing_model import (
    down_interval_ns,
    released_ns,
    span_ns,
    window_ns,
)
from viplab.analysis.views import Moments, between
from viplab.capture.frames import Advert, Carp
from viplab.faults import Effect, Heard, Manner, Part, fault_kind
from viplab.metrics import FaultMetrics
from viplab.subjects.family import NONE, Terms
from viplab.types import HostName, NodeTimers

_NS = 1_000_000_000


def within(run: LossRun, fault: Fault, until_ns: int) -> bool:
    """Whether a loss run lies in the time of a fault: it goes on at the fault, or begins before the next one."""
    return run.start_ns < until_ns and (run.end_ns is None or run.end_ns > fault.at_ns)


class OneFault:
    """One fault worked out of a trial's evidence, each step of which needs the ones before it.

    `until_ns` is the moment up to which what happens is this fault's doing.
    """

    def __init__(self, record: Record, fault: Fault, until_ns: int) -> None:
        self.record, self.fault, self.until_ns = record, fault, until_ns
        self.kind = fault_kind(fault.kind)
        self.heard = self.kind.heard if record.cuts_adverts(fault) else Heard.ALL
        self.protocol, self.nodes = record.info.protocol, record.info.nodes
        self.advertises = record.info.advertises
        # What the fault provoked is not to be taken for something before it.
        self.since_ns = fault.earliest_ns
        self.trips = [trip for trip in record.trips if self.since_ns <= trip.sent_ns < until_ns]
        self.requests = application.tried(record.http, self.since_ns, until_ns)
        runs = [run for run in loss_runs(record.trips) if within(run, fault, until_ns)]
        self.loss_runs = [run for run in runs if not self._of_earlier(run)]
        self.old_master = self._old_master()
        self.first_claim: Claim | None
        self.new_master: HostName | None
        self.first_claim, self.new_master = self._first_claim() or (None, None)
        self.last_advert = self._last_advert()
        self.timers = self._timers()
        self.taker = self.timers[self.new_master] if self.new_master else None
        self.predicted = self._predicted()
        self.zeros = self._zeros()
        self.moments = self._moments()
        self.longest_run = self._longest_run()

    def http(self) -> Application | None:
        """What an application saw of it; None where none asked."""
        interval_s = self.record.info.http_interval_s
        if not interval_s or not self.requests:
            return None
        fates = application.kept(self.record.http, self.fault, self.until_ns)
        return application.application(self.requests, fates, interval_s)

    def _of_earlier(self, run: LossRun) -> bool:
        """Whether it began after an earlier fault and goes on over this one: an outage is counted once."""
        return any(one.earliest_ns <= run.start_ns < self.since_ns for one in self.record.faults)

    # --- who ---

    def _old_master(self) -> HostName | None:
        """Who claimed to be master last of those that run the daemon."""
        claim = self.record.last_claim(self.fault.earliest_ns)
        return claim[1] if claim else None

    def _next_in_line(self) -> HostName | None:
        """Who should take over from the host of the fault, or the master: the backup whose timer runs out first."""
        lost = self.fault.host or self.old_master
        others = (host for host in self.nodes if host != lost)
        return min(others, key=lambda host: down_interval_ns(self.timers[host], self.protocol), default=None)

    def _first_claim(self) -> tuple[Claim, HostName] | None:
        """The first one by another than the old master, and who that is."""
        others = [host for host in self.nodes if host != self.old_master]
        claims = [(claim, host) for host in others for claim in self.record.claims_of(host)]
        after = [one for one in claims if self._in_window(one[0].time_ns)]
        return min(after, key=lambda one: one[0].time_ns, default=None)

    def _last_advert(self) -> Advert | Carp | None:
        """The old master's last claim that the others heard: before the takeover where there was one and they did."""
        heard = self.heard.between(self.fault.host, self.old_master, self.new_master)
        limit_ns = self.first_claim.time_ns if self.first_claim and heard else self.fault.at_ns
        before = [advert for advert in self.record.adverts_of(self.old_master) if advert.time_ns <= limit_ns]
        return before[-1] if self.old_master and before else None

    def _zeros(self) -> list[Advert | Carp]:
        limit_ns = self.first_claim.time_ns if self.first_claim else self.until_ns
        return [
            advert
            for advert in self.record.adverts
            if not advert.priority
            and self.old_master is not None
            and self.record.advertiser(advert) == self.old_master
            and self.since_ns <= advert.time_ns <= limit_ns
        ]

    # --- when ---

    def _moments(self) -> Moments:
        station = self.record.station(self.new_master) if self.new_master else None
        mac = station.public_mac.lower() if station else None
        return Moments(
            last_advert_ns=self.last_advert.time_ns if self.last_advert else None,
            priority_zero_ns=self.zeros[0].time_ns if self.zeros else None,
            first_advert_ns=self.first_claim.time_ns if self.first_claim and self.advertises else None,
            first_garp_ns=self._first_garp_ns(),
            neighbour_change_ns=self._neighbour_change_ns(mac),
            first_answer_ns=self._first_answer_ns(mac),
        )

    def _in_window(self, time_ns: int) -> bool:
        return self.since_ns <= time_ns < self.until_ns

    def _first_garp_ns(self) -> int | None:
        if self.new_master is None:
            return None
        announced = (frame for frame in self.record.announcements if self._in_window(frame.time_ns))
        return next((frame.time_ns for frame in announced if self.record.sender(frame) == self.new_master), None)

    def _announce_s(self) -> float | None:
        """None where it announced while none of its adverts could be heard, or before: the first heard is no cause."""
        garp_ns = self.moments.first_garp_ns
        first = self.record.announces_first(self.new_master)
        if garp_ns is None or first or self.record.unheard(self.new_master, garp_ns):
            return None
        return between(self.moments.first_advert_ns, garp_ns)

    def _announced_all_s(self) -> float | None:
        """When the new master had announced every address, where there are several and it did."""
        vips, first_ns = set(self.record.info.vips), dict[str, int]()
        for frame in self.record.announcements_of(vips):
            if self._in_window(frame.time_ns) and self.record.sender(frame) == self.new_master:
                first_ns.setdefault(frame.sender_ip, frame.time_ns)
        if not vips or first_ns.keys() != vips or self.record.announces_first(self.new_master):
            return None
        return between(self.moments.first_advert_ns, max(first_ns.values()))

    def _neighbour_change_ns(self, mac: str | None) -> int | None:
        """When the client's entry first came to name the new master, having named another or nobody."""
        if mac is None or self.record.client_entry(self.since_ns) == mac:
            return None
        return next(
            (
                event.t_ns
                for event in self.record.all("neighbour")
                if event.get("ip") == self.record.info.vip
                and str(event.get("mac")).lower() == mac
                and not event.get("deleted")
                and self._in_window(event.t_ns)
            ),
            None,
        )

    def _first_answer_ns(self, mac: str | None) -> int | None:
        vip = self.record.info.vip
        return next(
            (
                echo.time_ns
                for echo in self.record.echoes
                if not echo.request and echo.src_ip == vip and echo.src_mac == mac and self._in_window(echo.time_ns)
            ),
            None,
        )

    def _longest_run(self) -> LossRun | None:
        return max(self.loss_runs, key=lambda run: (run.end_ns or self.until_ns) - run.start_ns, default=None)

    # --- how long ---

    def metrics(self) -> FaultMetrics:
        """Each metric, None where it was not measured."""
        moments, event = self.moments, self._event()
        taker, x_ns = self.taker, self._x_ns()
        failover = event == "failover"
        by_adverts = failover and self.advertises
        answered_s = between(self.fault.at_ns, moments.first_answer_ns)
        return FaultMetrics(
            event=event,
            expected_down_interval_s=down_interval_ns(taker, self.protocol) / _NS if taker and by_adverts else None,
            detection_s=between(self.fault.at_ns, moments.first_advert_ns),
            deadline_excess_s=self._deadline_excess_s(taker) if taker and by_adverts else None,
            announce_s=self._announce_s(),
            announced_all_s=self._announced_all_s(),
            client_switch_s=between(moments.first_garp_ns, moments.neighbour_change_ns),
            outage_s=outage.by_stamp_s(self.loss_runs, self.trips),
            outage_loss_s=outage.by_loss_s(self.loss_runs, self.trips, self.record.interval_s),
            lost=outage.lost(self.loss_runs, self.trips),
            recovered_s=outage.recovered_s(self.loss_runs, self.trips, self.fault),
            http_outage_s=application.outage_s(self.requests),
            answered_twice=sum(bool(trip.also) for trip in self.trips) if self.trips else None,
            failover_s=answered_s if failover else None,
            dual_owner_s=self._dual_owner_s(),
            reversion_s=answered_s if event == "reversion" else None,
            x_s=None if x_ns is None else x_ns / _NS,
            priority_zero=len(self.zeros) if self.record.adverts else None,
            outage_window_s=self._outage_window_s(),
        )

    def _event(self) -> Literal["failover", "reversion"] | None:
        if self.new_master is None:
            return None
        # A host that is struck while another is master, and takes over afterwards, has come back.
        if not self.kind.returns and self.new_master != self.fault.host:
            return "failover"
        return "reversion" if self.new_master == self.fault.host else None

    def _timers(self) -> dict[HostName, NodeTimers]:
        """What each host counts by; in version 3 a backup takes over the interval that the master advertises."""
        if self.protocol != "vrrp3" or not isinstance(self.last_advert, Advert):
            return self.record.info.nodes
        adopted = {"advert_int_s": self.last_advert.advert_int_s}
        return {host: node.model_copy(update=adopted) for host, node in self.record.info.nodes.items()}

    def _deadline_excess_s(self, taker: NodeTimers) -> float | None:
        """How late the first advert was, counted from the old master's last advert or its last priority 0."""
        since_ns = self.zeros[-1].time_ns if self.zeros else self.moments.last_advert_ns
        if self.heard is Heard.UNKNOWN or self.outranked(taker) or self._in_step():
            return None
        due_ns = (released_ns if self.zeros else down_interval_ns)(taker, self.protocol)
        return None if since_ns is None else between(since_ns + due_ns, self.moments.first_advert_ns)

    def outranked(self, taker: NodeTimers) -> bool:
        """Whether the old master, alive, had lowered its priority below that of the host that took over."""
        last, before = self.last_advert, self.nodes.get(self.old_master or "")
        return before is not None and isinstance(last, Advert) and last.priority < min(before.priority, taker.priority)

    def _x_ns(self) -> int | None:
        last_ns = self.advert_before_ns()
        return None if last_ns is None else self.fault.at_ns - last_ns

    def x_interval_ns(self) -> tuple[int, int] | None:
        """What x may have been, as far as the fault is dated."""
        last_ns = self.advert_before_ns()
        return None if last_ns is None else (self.fault.earliest_ns - last_ns, self.fault.latest_ns - last_ns)

    def advert_before_ns(self) -> int | None:
        """The last advert of the old master that was out before the fault."""
        before = [claim.time_ns for claim in self.record.adverts_of(self.old_master)] if self.old_master else []
        return max((at_ns for at_ns in before if at_ns <= self.fault.earliest_ns), default=None)

    def _dual_owner_s(self) -> float | None:
        census = self.record.owners(self.fault.at_ns, self.until_ns)
        if not census:
            return None
        return sum(end_ns - start_ns for start_ns, end_ns, owners in census if len(owners) > 1) / _NS

    def _predicted(self) -> tuple[Terms, NodeTimers] | str | None:
        """What the timing model says of the outage, and by whose timers; why it says nothing; None if it need not."""
        effect, host = self.kind.effect, self.fault.host
        in_step = self._in_step()
        if self.kind.ends(Part.LINK) and (self.record.cuts_adverts(self.fault) or in_step):
            effect = Effect.HOST_LOST
        elif self.kind.ends(Part.LINK) and not self.record.info.tracked:
            return None
        if effect is None or (self.kind.returns and self.record.unheard(host, self.fault.at_ns)):
            return None  # nor does anybody give way to a host that returns and is not heard
        if self.kind.returns:
            affected = self.new_master == host
            taker = host
        else:
            affected = host in (None, self.old_master)
            taker = self.new_master or self._next_in_line()
        if taker not in self.nodes:
            return None
        if not affected:
            return NONE, self.timers[taker]
        model, leaves = self.record.timing[taker], self.record.timing[self.old_master or taker]
        if isinstance(model, str):
            return model
        if isinstance(leaves, str):
            return leaves
        if effect is Effect.GIVES_UP and not leaves.releases:
            effect = Effect.HOST_LOST
        if effect is not Effect.DAEMON_LOST and not self.record.client_told(self.fault):
            return None
        if in_step:
            return (model.member_lost, self.timers[taker]) if model.member_lost else None
        missed = model.missed(effect, self.nodes[taker].state)
        if missed == NONE and effect is Effect.DAEMON_LOST and self.record.info.virtual_mac:
            # The first advert has the switch send to the new master, whether it has the address yet or not.
            missed = Terms(adverts=model.announce_adverts)
        if missed is None:
            return f"{self.record.info.daemon(taker).family} has no timing model for a fault after which {effect.value}"
        return missed, self.timers[taker]

    def _in_step(self) -> bool:
        """Whether it cut the adverts of a virtual router that changes state with this one, and not this one's own.

        The adverts of both go out together.
        """
        if self.record.cuts_adverts(self.fault):
            return False
        networks = self.record.info.in_step
        return any(
            event.get("network") in networks
            for event, _, _ in self.record.injected
            if self.record.dates(event, self.fault)
        )

    def _outage_window_s(self) -> tuple[float, float] | None:
        if not isinstance(self.predicted, tuple):
            return None
        terms, timers = self.predicted
        begun = self._begun_outage_ns(terms, timers)
        low_ns, high_ns = begun or window_ns(terms, timers, self._known_x_ns(), self.protocol)
        return low_ns / _NS, high_ns / _NS + (self.record.held_back_s if terms != NONE else 0.0)

    def _begun_outage_ns(self, terms: Terms, taker: NodeTimers) -> tuple[int, int] | None:
        """How long an outage that began with the first request lost lasts, counted from the last advert really sent.

        The other's timer runs from that advert, or from the last one of priority 0, and from nothing else; when the
        fault struck does not come into it. None where that is not how it ends, or where the loss is another one's.
        """
        last_ns = self.zeros[-1].time_ns if terms.skews and self.zeros else self.moments.last_advert_ns
        if not (terms.less_x or (terms.skews and self.zeros)) or last_ns is None or len(self.loss_runs) != 1:
            return None
        lost_ns = self.loss_runs[0].start_ns
        if lost_ns < self.fault.earliest_ns - round(self.record.interval_s * _NS):
            return None
        left_ns = last_ns + span_ns(terms, taker, self.protocol) - lost_ns
        return (0 if terms.at_most else left_ns, left_ns) if left_ns >= 0 else None

    def _known_x_ns(self) -> tuple[int, int] | None:
        return None if self.kind.manner is Manner.LATER else self.x_interval_ns()
