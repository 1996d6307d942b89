"""One virtual router: what happens goes in with the time, what is to be done comes out.

The methods that say what happened (`started`, `advert_received`, `interface_changed`, `handle_deadline`, `shut_down`)
find the transition in the `machine` that is made of the table, and take its `steps`. Those leave effects on a list; the
shell drains that list and does what it says.
Nothing here reads a clock, opens a socket or blocks, so a test can live a day in a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig
from vipd.protocol.actions import Stepping
from vipd.protocol.compile import machine
from vipd.protocol.effects import AddAddresses, Effect, Notify, RemoveAddresses, SendGratuitousArp
from vipd.protocol.log_messages import Say
from vipd.protocol.packet import PRIORITY_OWNER, PRIORITY_STOP
from vipd.protocol.table import Event, If, State
from vipd.protocol.validation import Discard


class Router(Stepping):
    """A virtual router of RFC 3768 or RFC 9568, in the manner of one `Behaviour`.

    Attributes:
        state: where it is; only rows of the table change it.
        group_holds: asks the sync group whether it is not ready to become master.
        repeated: what the shell knows an advert by that is, octet for octet, the last one that was accepted.
        turned: what its last change of state came from; None before the first.
        heard_as: what the last advert was that it accepted, compared with its own priority.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, primary: int = 0, detail: bool = True) -> None:
        """Make one that waits for `started`.

        Args:
            config: its `vrrp_instance`.
            behaviour: the profile.
            primary: see the property of that name.
            detail: whether lines that only `-D` shows are wanted at all.
        """
        super().__init__(config, behaviour, detail)
        self.state = State.INITIALIZE
        self.group_holds: Callable[[], bool] = lambda: False
        self.repeated: object = None
        self.turned: Event | None = None
        self.heard_as = Event.STARTED
        self._machine = machine(config, behaviour)
        self._needs = dict.fromkeys(config.needs, True)
        self.primary = primary

    @property
    def primary(self) -> int:
        """Address that adverts come from, as an integer: the tie between equal priorities needs it.

        The primary address of the interface, or the link-local one for IPv6; the shell keeps it up to date.
        """
        return self._dialect.source

    @primary.setter
    def primary(self, primary: int) -> None:
        if primary != self._dialect.source:
            self._dialect.source = primary
            self._dialect.prepare(self.priority)
            self.repeated = None

    @property
    def accepts(self) -> bool:
        """Whether a master takes packets for the addresses: an owner does, others by Accept_Mode (RFC 9568, 6.1)."""
        accept = self.behaviour.accepts if self.config.accept is None else self.config.accept
        return accept or self.config.priority == PRIORITY_OWNER

    @property
    def discards(self) -> dict[Discard, int]:
        """How many packets were refused, by reason."""
        return self.counts.discards

    # -- what happened

    def started(self, links: dict[str, bool], now: int) -> None:
        """The daemon started; `links` says of each of `config.interfaces` whether it is up."""
        self._links.update((name, up) for name, up in links.items() if name in self._links)
        self._happened(Event.STARTED, now)

    def advert_received(
        self, payload: bytes, source: int, ttl: int, now: int, destination: int = 0, header: bytes = b""
    ) -> Discard | None:
        """A packet for this router was read; returns why it was refused, if it was.

        Args:
            payload: what followed the IP header, cut at the IP total length.
            source: the sender's address, as an integer.
            ttl: of the IP header, or the hop limit.
            now: monotonic nanoseconds.
            destination: of the IP header; 0 for the group.
            header: the IPv4 header, where there may be an authentication header.
        """
        advert = self._dialect.read(payload, source, ttl, destination, header, self.priority, now)
        if isinstance(advert, Discard):
            self.counts.discards[advert] += 1
            if self._saying.allows(Say.DISCARDED, now):
                self._say(Say.DISCARDED, source, reason=advert.value)
            return advert
        self._advert = advert
        self._source = source
        self.heard_as = self._weigh(advert.priority, source)
        for remark in self._dialect.remarks:
            self.counts.remarks[remark] += 1
            if self._saying.allows(remark, now):
                self._say(Say.REMARKED, reason=remark.value)
        self.heard_again(now)
        return None

    def remember(self, key: object) -> None:
        """Let the shell know the advert that was just accepted by `key`, if its like will always be judged alike."""
        self.repeated = key if self._dialect.stateless and not self._dialect.remarks else None

    def heard_again(self, now: int) -> None:
        """The advert that was last accepted has come once more, octet for octet: there is no need to read it again."""
        advert = self._advert
        if advert is not None:
            counts = self.counts
            counts.adverts_received += 1
            counts.forms[advert.form] += 1
            if advert.priority == PRIORITY_STOP:
                counts.zeros_received += 1
            self._happened(self.heard_as, now)

    def interface_changed(self, name: str, up: bool, now: int) -> None:
        """An interface came up or went down, or was created or deleted."""
        if self._links.get(name, up) == up:
            return
        before = self._links_up
        self._links[name] = up
        if self.state is not State.INITIALIZE:
            self._say(Say.LINK_UP if up else Say.LINK_DOWN, interface=name)
        self._links_may_have_changed(before, now)

    def need_changed(self, name: str, met: bool, now: int) -> None:
        """Something else that this router cannot do without (`config.needs`) has come or gone."""
        before = self._links_up
        self._needs[name] = met
        self._links_may_have_changed(before, now)

    def priority_changed(self, priority: int, now: int) -> None:
        """What is tracked has moved the effective priority; the next advert has it, and so has the next skew."""
        if priority != self.priority:
            self._say(Say.PRIORITY_CHANGED, before=str(self.priority), after=str(priority))
            self.priority = priority
            self._dialect.prepare(priority)
            self.repeated = None

    def group_claimed(self, now: int) -> None:
        """Another member of the sync group became master."""
        self._happened(Event.GROUP_CLAIMED, now)

    def group_released(self, now: int) -> None:
        """Another member of the sync group became backup."""
        self._happened(Event.GROUP_RELEASED, now)

    def address_lost(self, now: int) -> None:
        """Somebody else removed one of the addresses that this router holds."""
        self._happened(Event.ADDRESS_LOST, now)

    def group_lost_address(self, now: int) -> None:
        """Somebody else removed an address that another member of the sync group holds."""
        self._happened(Event.GROUP_LOST_ADDRESS, now)

    def well(self, but: str) -> bool:
        """Whether all that it cannot do without is there, `but` one need left out."""
        return all(self._links.values()) and all(met for name, met in self._needs.items() if name != but)

    def succeed(self, old: Router) -> None:
        """Go on where `old`, of another configuration, left off: same state, same timer, no advert out of turn."""
        self.state, self.priority, self.counts = old.state, old.priority, old.counts
        self._links.update((name, up) for name, up in old._links.items() if name in self._links)
        self._needs.update((name, met) for name, met in old._needs.items() if name in self._needs)
        self._timer_ns, self._now_ns, self._preempt_ns = old._timer_ns, old._now_ns, old._preempt_ns
        self._advert, self._source, self.heard_as = old._advert, old._source, old.heard_as
        self.turned = old.turned
        if self.state is State.MASTER:
            before, after = old.config.served, self.config.served
            gone, new = (tuple(one for one in a if one not in b) for a, b in ((before, after), (after, before)))
            self.effects += [RemoveAddresses(gone)] if gone else []
            self.effects += [AddAddresses(new), SendGratuitousArp(new, 1)] if new else []

    @property
    def heard_from(self) -> int:
        """Who sent the last advert that was accepted, as an integer; 0 if there was none."""
        return self._source

    @property
    def timers_ns(self) -> tuple[int, int, int]:
        """Advertisement interval that counts now, Skew_Time, Master_Down_Interval."""
        interval_ns, skew = self._interval_ns, self._skew_ns
        return interval_ns, skew, self.config.down_timer_adverts * interval_ns + skew

    def deadline(self) -> int | None:
        """When `handle_deadline` wants to be called next; None for not at all."""
        burst_ns = self._bursts.due_ns
        if self._timer_ns is None or (burst_ns is not None and burst_ns < self._timer_ns):
            return burst_ns
        return self._timer_ns

    def handle_deadline(self, now: int) -> None:
        """The deadline has come. Called before it, it does nothing."""
        timer_ns = self._timer_ns
        if timer_ns is not None and timer_ns <= now:
            self._timer_ns = None
            # Counting from the deadline rather than from the wake-up keeps the schedule free of drift, unless it has
            # been missed by so much (a suspended machine) that catching up would send a volley.
            late = self.behaviour.rearms_at_every_packet or now - timer_ns >= self.config.advert_int_ns
            spent = self._dialect.spent
            self._happened(Event.SEQUENCE_SPENT if spent else Event.TIMER_EXPIRED, now if late else timer_ns)
            if spent:
                self._dialect.renew()
        burst_ns = self._bursts.due_ns
        if burst_ns is not None and burst_ns <= now:
            self._announce_now(self._bursts.handle(now))

    def shut_down(self, now: int) -> None:
        """The daemon is told to stop."""
        self._happened(Event.SHUT_DOWN, now)

    def drain(self) -> list[Effect]:
        """The effects since the last call, oldest first."""
        effects, self.effects = self.effects, []
        return effects

    # -- finding the transition

    def _happened(self, event: Event, now: int) -> None:
        self._now_ns = now
        for when, steps, then in self._machine.get((self.state, event), ()):
            if not when or all(self._holds(condition) for condition in when):
                for step in steps:
                    step(self)
                self._muted = False
                if then is not self.state:
                    self.state, self.turned = then, event
                    self.counts.became_master += then is State.MASTER
                    self.effects.append(Notify(self.config.name, then))
                return

    def _holds(self, condition: If) -> bool:
        """Conditions that have to be asked when something happened."""
        if condition is If.LINKS_DOWN:
            return not self._links_up
        if condition is If.GROUP_HOLDS:
            return self.group_holds()
        if condition is If.ANSWERED:
            return self._answered_ns == self._now_ns
        if condition is If.FROM_OWNER:
            return self._advert is not None and self._advert.priority == PRIORITY_OWNER
        if condition is If.PREEMPT_DELAY_UNSET:
            return self._preempt_ns is None
        return self._preempt_ns is not None and self._now_ns < self._preempt_ns

    @property
    def _links_up(self) -> bool:
        return all(self._links.values()) and all(self._needs.values())

    def _links_may_have_changed(self, before: bool, now: int) -> None:
        if before != self._links_up:
            self._happened(Event.LINKS_RESTORED if self._links_up else Event.LINKS_LOST, now)

    def _weigh(self, priority: int, source: int) -> Event:
        """What an advert is, compared with this router (section 6.4.3; ties by address, unsigned)."""
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
