"""One virtual router: it is told what happened and when, and returns effects for the caller to carry out.

The methods that say what happened (`started`, `advert_received`, `interface_changed`, `handle_deadline`, `shut_down`)
find the transition in the compiled table and take its steps (`actions`). Those append effects to a list, which the
caller drains and carries out in its order. Nothing here reads a clock, opens a socket or blocks, so a test can simulate
a day in a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig
from vipd.protocol.actions import RouterActions
from vipd.protocol.advert_codec import AdvertCodec
from vipd.protocol.compile import compile_table
from vipd.protocol.counters import Counters
from vipd.protocol.effects import AddAddresses, Effect, Notify
from vipd.protocol.garp_schedule import GarpSchedule
from vipd.protocol.log_messages import LogEvent
from vipd.protocol.packet import PRIORITY_OWNER, PRIORITY_STOP, Advert
from vipd.protocol.table import Event, Guard, State
from vipd.protocol.validation import Discard

# What the daemon needs for any router, beside what its configuration names.
SOCKETS, ADVERTS, SOURCE = "sockets", "adverts", "source address"


class Router(RouterActions):
    """A virtual router of RFC 3768 or RFC 9568, as one `Behaviour` has it.

    Attributes:
        state: its state; only rows of the table change it.
        group_not_ready: returns whether another member of the sync group is not ready to become master.
        last_event: the event that last changed its state; None before the first.
        last_advert_event: the event that the last accepted advert was, compared with its own priority.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, primary: int = 0, detail: bool = True) -> None:
        """Make a router in the state INITIALIZE.

        Args:
            config: its `vrrp_instance`.
            behaviour: the profile.
            primary: see the property of that name.
            detail: whether it makes log lines that only `-D` shows.
        """
        super().__init__(config, behaviour, detail)
        self.state = State.INITIALIZE
        self.group_not_ready: Callable[[], bool] = lambda: False
        self.last_event: Event | None = None
        self.queued_ns: int | None = None
        """When adverts that are handed over now were seen to wait: an answer given since then is one to them all."""
        self.last_advert_event = Event.STARTED
        self._transitions = compile_table(config, behaviour)
        self._needs = dict.fromkeys((SOCKETS, ADVERTS, *config.needs), True)
        self.primary = primary

    @property
    def primary(self) -> int:
        """Address that adverts are sent from, as an integer; it also decides between equal priorities.

        The primary address of the interface, or the link-local one for IPv6; the caller keeps it up to date.
        """
        return self._codec.source

    @primary.setter
    def primary(self, primary: int) -> None:
        if primary != self._codec.source:
            self._codec.source = primary
            self._codec.prepare(self.priority)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that has to be up."""
        return tuple(self._links)

    @property
    def accepts(self) -> bool:
        """Whether a master takes packets for the addresses: an owner does, others by Accept_Mode (RFC 9568, 6.1)."""
        accept = self.behaviour.accepts if self.config.accept is None else self.config.accept
        return accept or self.config.priority == PRIORITY_OWNER

    @property
    def discards(self) -> dict[Discard, int]:
        """How many packets were refused, by reason."""
        return self.counters.discards

    # -- what happened

    def started(self, links: dict[str, bool], now: int) -> None:
        """The daemon started; `links` holds for each of its interfaces whether it is up."""
        self._links.update((name, up) for name, up in links.items() if name in self._links)
        self._handle(Event.STARTED, now)

    def advert_received(
        self,
        payload: bytes,
        source: int,
        ttl: int,
        now: int,
        destination: int = 0,
        header: bytes = b"",
        octets: object = None,
    ) -> Discard | None:
        """A packet for this router was received; returns the reason if the router discards it.

        Args:
            payload: what followed the IP header, cut at the IP total length.
            source: the sender's address, as an integer.
            ttl: of the IP header, or the hop limit.
            now: monotonic nanoseconds.
            destination: of the IP header; 0 for the group.
            header: the IPv4 header, where there may be an authentication header.
            octets: all of the packet that the checks depend on, for `advert_repeated`; None if it is not to be known.
        """
        advert = self._codec.read(payload, source, ttl, destination, header, self.priority, now, octets)
        if isinstance(advert, Discard):
            self.counters.discards[advert] += 1
            if self._router_log.allows(LogEvent.DISCARDED, now):
                self._log(LogEvent.DISCARDED, source, reason=advert.value)
            return advert
        self._advert = advert
        self._source = source
        self.last_advert_event = self._compare(advert.priority, source)
        for remark in self._codec.remarks:
            self.counters.remarks[remark] += 1
            if self._router_log.allows(remark, now):
                self._log(LogEvent.REMARKED, reason=remark.value)
        self._accepted(advert, now)
        return None

    def advert_repeated(self, octets: object, now: int) -> bool:
        """Whether these are the octets of the known advert; it then counts as received, and is not read again."""
        if octets != self._codec.known or self._advert is None:
            return False
        self._accepted(self._advert, now)
        return True

    def interface_changed(self, name: str, up: bool, now: int) -> None:
        """An interface came up or went down, or was created or deleted."""
        if self._links.get(name, up) == up:
            return
        before = self._links_up
        self._links[name] = up
        if self.state is not State.INITIALIZE:
            self._log(LogEvent.LINK_UP if up else LogEvent.LINK_DOWN, interface=name)
        self._links_may_have_changed(before, now)

    def need_changed(self, name: str, met: bool, now: int) -> None:
        """Something else that this router needs (`config.needs`) has come or gone."""
        before = self._links_up
        self._needs[name] = met
        self._links_may_have_changed(before, now)

    def source_changed(self, there: bool, now: int) -> None:
        """The address that adverts have to be sent from has come or gone."""
        if there != self._needs.get(SOURCE, True):
            self._log(LogEvent.SOURCE_HERE if there else LogEvent.SOURCE_GONE, interface=self.config.interface)
        self.need_changed(SOURCE, there, now)

    def priority_changed(self, priority: int, now: int) -> None:
        """The effective priority changed; the next advert and the next Skew_Time use it."""
        if priority != self.priority:
            self._log(LogEvent.PRIORITY_CHANGED, before=str(self.priority), after=str(priority))
            self.priority = priority
            self._codec.prepare(priority)

    def group_claimed(self, now: int) -> None:
        """Another member of the sync group became master."""
        self._handle(Event.GROUP_CLAIMED, now)

    def group_released(self, now: int) -> None:
        """Another member of the sync group became backup."""
        self._handle(Event.GROUP_RELEASED, now)

    def address_lost(self, now: int) -> None:
        """Another program removed one of the addresses, routes or rules that this router holds."""
        self._handle(Event.ADDRESS_LOST, now)

    def group_lost_address(self, now: int) -> None:
        """Another program removed an address that another member of the sync group holds."""
        self._handle(Event.GROUP_LOST_ADDRESS, now)

    def needs_met(self, leave_out: str) -> bool:
        """Whether its links are up and all of its needs are met, except the one to leave out."""
        return all(self._links.values()) and all(met for name, met in self._needs.items() if name != leave_out)

    def resume_from(self, old: Router) -> None:
        """Take over the state, timers and counters of `old`, a router of another configuration; send no advert.

        What `old` did not look at counts as good until `reviewed`. What it alone held is the caller's to remove: first,
        since another router may hold it from now on.
        """
        config, before = self.config, old.config
        self.state, self.counters, self.wants_master = old.state, old.counters, old.wants_master
        if config.tracks:
            self.priority = old.priority  # from which what is tracked moves it
        self._links = {name: old._links.get(name, True) for name in self._links}
        self._needs = {name: old._needs.get(name, True) for name in self._needs}
        self._timer_ns, self._now_ns, self._preempt_ns = old._timer_ns, old._now_ns, old._preempt_ns
        self._advert, self._source, self.last_advert_event = old._advert, old._source, old.last_advert_event
        self._answered_ns, self.last_event = old._answered_ns, old.last_event
        if old._interval_ns != before.advert_int_ns and config.wire_version == 3:
            self._interval_ns = old._interval_ns  # the master's
        self._codec.resume_from(old._codec)
        self._garp.resume_from(old._garp, self._now_ns if self.state is State.MASTER else None)
        if self.state is State.MASTER:
            # All of them: with the first address of a network the kernel may have removed the others, and routes.
            self.effects.append(AddAddresses(config.served))
            if any(address not in before.served for address in config.served):
                self._announce()

    def reviewed(self, now: int) -> None:
        """After a reload links and needs have all been told: act on those that count now, or count no more."""
        self._handle(Event.LINKS_RESTORED if self._links_up else Event.LINKS_LOST, now)

    def double(self) -> Router:
        """A router in the same state, whose effects are its own: nothing that it is told changes this one."""
        double = Router.__new__(Router)
        double.__dict__.update(self.__dict__)
        double.counters, double.effects = Counters(), []
        double._garp = GarpSchedule(self.config, self.behaviour)
        double._router_log = self._router_log.unused()  # a line that is rehearsed is not logged
        double._links, double._needs = dict(self._links), dict(self._needs)
        if self.config.auth_type == 2:
            double._codec = AdvertCodec(self.config, self.behaviour)  # a sequence number is used once
            double.primary = self.primary
        return double

    @property
    def last_advert_source(self) -> int:
        """Address that the last accepted advert came from, as an integer; 0 if there was none."""
        return self._source

    @property
    def timers_ns(self) -> tuple[int, int, int]:
        """The interval in force, Skew_Time and Master_Down_Interval, in nanoseconds."""
        interval_ns, skew = self._interval_ns, self._skew_ns
        return interval_ns, skew, self.config.down_timer_adverts * interval_ns + skew

    def deadline(self) -> int | None:
        """When `handle_deadline` has to be called next, in monotonic nanoseconds; None for not at all."""
        burst_ns = self._garp.due_ns
        if self._timer_ns is None or (burst_ns is not None and burst_ns < self._timer_ns):
            return burst_ns
        return self._timer_ns

    def handle_deadline(self, now: int) -> None:
        """The deadline has come. Called before it, this does nothing."""
        timer_ns = self._timer_ns
        if timer_ns is not None and timer_ns <= now:
            self._timer_ns = None
            # Counting from the deadline rather than from the wake-up keeps the schedule free of drift, unless it has
            # been missed by so much (a suspended machine) that catching up would send many adverts at once.
            late = self.behaviour.rearms_at_every_packet or now - timer_ns >= self.config.advert_int_ns
            spent = self._codec.spent
            try:
                self._handle(Event.SEQUENCE_SPENT if spent else Event.TIMER_EXPIRED, now if late else timer_ns)
            except MemoryError:
                self._timer_ns = timer_ns
                raise
            if spent:
                self._codec.renew()
        burst_ns = self._garp.due_ns
        if burst_ns is not None and burst_ns <= now:
            self._announce_now(self._garp.handle(now))

    def shut_down(self, now: int) -> None:
        """The daemon stops."""
        self._handle(Event.SHUT_DOWN, now)

    def drain(self) -> list[Effect]:
        """The effects since the last call, oldest first."""
        effects, self.effects = self.effects, []
        return effects

    # -- finding the transition

    def _accepted(self, advert: Advert, now: int) -> None:
        counters = self.counters
        counters.adverts_received += 1
        counters.forms[advert.form] += 1
        if advert.priority == PRIORITY_STOP:
            counters.zeros_received += 1
        self._handle(self.last_advert_event, now)

    def _handle(self, event: Event, now: int) -> None:
        self._now_ns = now
        timer_ns, kept = self._timer_ns, len(self.effects)
        for guards, steps, target in self._transitions.get((self.state, event), ()):
            if not guards or all(self._guard_holds(condition) for condition in guards):
                try:
                    for step in steps:
                        step(self)
                except MemoryError:  # all of a transition or nothing of it
                    self._timer_ns = timer_ns
                    del self.effects[kept:]
                    raise
                self._muted = False
                if target is not self.state:
                    self.state, self.last_event = target, event
                    self.counters.became_master += target is State.MASTER
                    self.effects.append(Notify(self.config.name, target))
                return

    def _guard_holds(self, condition: Guard) -> bool:
        """Whether a guard holds that has to be evaluated at each event."""
        if condition is Guard.LINKS_DOWN:
            return not self._links_up
        if condition is Guard.GROUP_NOT_READY:
            return self.group_not_ready()
        if condition is Guard.ANSWERED:
            since_ns = self._now_ns if self.queued_ns is None else self.queued_ns
            return self._answered_ns >= since_ns or self._answers.spent(self._now_ns)
        if condition is Guard.FROM_OWNER:
            return self._advert is not None and self._advert.priority == PRIORITY_OWNER
        if condition is Guard.PREEMPT_DELAY_UNSET:
            return self._preempt_ns is None
        return self._preempt_ns is not None and self._now_ns < self._preempt_ns

    @property
    def _links_up(self) -> bool:
        return all(self._links.values()) and all(self._needs.values())

    def _links_may_have_changed(self, before: bool, now: int) -> None:
        if before != self._links_up:
            self._handle(Event.LINKS_RESTORED if self._links_up else Event.LINKS_LOST, now)

    def _compare(self, priority: int, source: int) -> Event:
        """The event that an advert is, compared with this router (section 6.4.3; ties by address, unsigned)."""
        own = self.priority
        if priority == PRIORITY_STOP:
            return Event.ZERO_RECEIVED
        if priority != own:
            return Event.HIGHER_RECEIVED if priority > own else Event.LOWER_RECEIVED
        primary = self.primary
        if self.behaviour.misreads_tie:
            size = 4 if self.config.family == 4 else 16
            primary = int.from_bytes(primary.to_bytes(size, "big"), "little")
        return Event.TIE_LOST if source > primary else Event.TIE_WON
