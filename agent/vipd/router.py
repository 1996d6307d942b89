"""One virtual router: what happens goes in with the time, what is to be done comes out.

The methods that say what happened (`started`, `advert_received`, `interface_changed`, `handle_deadline`, `shut_down`)
find the transition in `table` and carry it out as effects on a list; the shell drains that list and does what it says.
Nothing here reads a clock, opens a socket or blocks, so a test can live a day in a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from types import MappingProxyType

from vipd.behaviour import SECOND_NS, Behaviour
from vipd.bursts import Bursts
from vipd.config import RouterConfig, skew_ns
from vipd.counts import Counts
from vipd.dialect import Dialect
from vipd.discard import Discard
from vipd.effects import (
    AddAddresses,
    Effect,
    Log,
    Notify,
    NotifyOfLower,
    RemoveAddresses,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.packet import PRIORITY_OWNER, PRIORITY_STOP, Advert
from vipd.ration import Ration
from vipd.table import ASKED_EACH_TIME, Do, Event, If, State, Step, resolve
from vipd.voice import VOICES, Say

__all__ = [
    "AddAddresses",
    "Effect",
    "Log",
    "Notify",
    "RemoveAddresses",
    "Router",
    "SendAdvert",
    "SendGratuitousArp",
    "settled",
]

# What a packet can make a router say, and how many such lines it says in what time; keepalived says every one.
_RATIONS = {
    Say.DISCARDED: (1, 10 * SECOND_NS),
    Say.LOWER_DISCARDED: (10, 10 * SECOND_NS),
    Say.LOWER_ANSWERED: (10, 10 * SECOND_NS),
    Say.ZERO_RECEIVED: (10, 10 * SECOND_NS),
}
_REMARKS = (1, 600 * SECOND_NS)  # of each kind: what there is to remark on is so in every advert


def settled(config: RouterConfig, behaviour: Behaviour) -> dict[If, bool]:
    """The conditions of the table that configuration and profile decide for good."""
    owner = config.priority == PRIORITY_OWNER
    return {
        If.OWNER: owner,
        If.INITIAL_MASTER: behaviour.honours_initial_state and (config.initial_master or owner),
        If.NO_PREEMPT: not config.preempt and not owner,
        If.TWO_STEPS: behaviour.claims_in_two_steps,
        If.LATE_LINKS: behaviour.reads_links_late,
        If.EAGER_LINKS: not behaviour.reads_links_late,
        If.COMPARES_AFTER_FAULT: behaviour.compares_priority_after_fault,
        If.ELECTS_ON_LOWER: behaviour.elects_on_lower_advert,
        If.DELAY_FROM_START: behaviour.delays_preempt_from_start,
        If.DELAY_FROM_ADVERT: config.preempt_delay_ns > 0 and not behaviour.delays_preempt_from_start,
        If.ANSWERS_LOWER: behaviour.answers_lower_advert,
        If.SILENT_ON_LOWER: config.lower_prio_no_advert or False,
        If.ASSERTS: behaviour.asserts_in_version_3 and config.wire_version == 3,
        If.SENDS_ON_HIGHER: config.higher_prio_send_advert,
        If.WATCHES_ADDRESSES: behaviour.watches_addresses,
        If.ZERO_IS_LOWER: behaviour.takes_zero_for_lower,
        If.REARMS: behaviour.rearms_at_every_packet,
    }


class Router:
    """A virtual router of RFC 3768 or RFC 9568, in the manner of one `Behaviour`.

    Attributes:
        state: where it is; only rows of the table change it.
        priority: the effective one: as configured, and moved by what is tracked.
        wanting: its timer has run out, but its sync group is not ready to become master.
        group_holds: asks the sync group whether that is so.
        effects: what is to be done, oldest first; `drain` hands it over.
        counts: what it has sent, heard and refused.
        repeated: what the shell knows an advert by that is, octet for octet, the last one that was accepted.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, primary: int = 0, detail: bool = True) -> None:
        """Make one that waits for `started`.

        Args:
            config: its `vrrp_instance`.
            behaviour: the profile.
            primary: see the property of that name.
            detail: whether lines that only `-D` shows are wanted at all.
        """
        self.config = config
        self.behaviour = behaviour
        self.priority = config.priority
        self.wanting = False
        self.group_holds: Callable[[], bool] = lambda: False
        self.state = State.INITIALIZE
        self.effects: list[Effect] = []
        self.counts = Counts()
        self.repeated: object = None
        self._dialect = Dialect(config, behaviour)
        self._bursts = Bursts(config, behaviour)
        self._machine = _machine(frozenset(found for found, holds in settled(config, behaviour).items() if holds))
        self._voice = VOICES[behaviour.name]
        self._detail = detail
        self._links = dict.fromkeys(config.interfaces, False)
        self._needs = dict.fromkeys(config.needs, True)
        self._timer_ns: int | None = None
        self._preempt_ns: int | None = None
        self._answered_ns = -1  # when it last answered a lower priority
        self._now_ns = 0  # when the event being handled happened; timers count from it
        self._interval_ns = config.advert_int_ns  # Active_Adver_Interval of RFC 9568
        self._advert: Advert | None = None
        self._event = Event.STARTED  # what the last advert was
        self._source = 0
        self._rations: dict[object, Ration] = {}
        self._muted = False
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
            self._now_ns = now
            if Say.DISCARDED in self._voice and self._allowed(Say.DISCARDED, _RATIONS[Say.DISCARDED]):
                self._say(Say.DISCARDED, reason=advert.value, source=_text(source, self.config.family))
            return advert
        self._advert = advert
        self._source = source
        self._event = self._weigh(advert.priority, source)
        for remark in self._dialect.remarks:
            self.counts.remarks[remark] += 1
            if self._allowed(remark, _REMARKS, now):
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
            self._happened(self._event, now)

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

    def well(self, but: str) -> bool:
        """Whether all that it cannot do without is there, `but` one need left out."""
        return all(self._links.values()) and all(met for name, met in self._needs.items() if name != but)

    def succeed(self, old: Router) -> None:
        """Go on where `old`, of another configuration, left off: same state, same timer, no advert out of turn."""
        self.state, self.priority, self.counts = old.state, old.priority, old.counts
        self._links.update((name, up) for name, up in old._links.items() if name in self._links)
        self._needs.update((name, met) for name, met in old._needs.items() if name in self._needs)
        self._timer_ns, self._now_ns, self._preempt_ns = old._timer_ns, old._now_ns, old._preempt_ns
        self._advert, self._source, self._event = old._advert, old._source, old._event
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
                    self.state = then
                    self.counts.became_master += then is State.MASTER
                    self.effects.append(Notify(self.config.name, then))
                return

    def _holds(self, condition: If) -> bool:
        """Conditions that have to be asked when something happened."""
        if condition is If.LINKS_DOWN:
            return not self._links_up
        if condition is If.GROUP_HOLDS:
            return self.group_holds()
        if condition is If.FROM_OWNER:
            return self._advert is not None and self._advert.priority == PRIORITY_OWNER
        if condition is If.ANSWERED:
            return self._answered_ns == self._now_ns
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

    # -- the steps that are more than an effect

    def _arm(self, delay_ns: int) -> None:
        self._timer_ns = self._now_ns + delay_ns

    def _arm_advert(self) -> None:
        self._timer_ns = self._now_ns + self.config.advert_int_ns

    def _arm_master_down(self) -> None:
        self.wanting = False
        self._timer_ns = self._now_ns + self.config.down_timer_adverts * self._interval_ns + self._skew_ns

    def _arm_skew(self) -> None:
        self._arm(self._skew_ns)

    @property
    def _skew_ns(self) -> int:
        priority = self.config.priority if self.behaviour.skews_by_base_priority else self.priority
        return skew_ns(self.config.wire_version, priority, self._interval_ns)

    def _adopt_interval(self) -> None:
        if self._advert is not None:
            self._interval_ns = self._advert.advert_int_ns

    def _forget_interval(self) -> None:
        self._interval_ns = self.config.advert_int_ns

    def _wait_for_group(self) -> None:
        self._arm_master_down()
        self.wanting = True

    def _stop_timers(self) -> None:
        self._timer_ns = self._preempt_ns = None
        self._bursts.stop()

    def _send(self, priority: int) -> None:
        if self._dialect.source:
            adverts = self._dialect.adverts(priority)
            self.effects.extend(adverts)
            self.counts.adverts_sent += len(adverts)
            if priority == PRIORITY_STOP:
                self.counts.zeros_sent += len(adverts)
                self._say(Say.STOP_ADVERT_SENT)

    def _send_advert(self) -> None:
        self._send(self.priority)

    def _send_stop(self, count: int) -> None:
        for _ in range(count):
            self._send(PRIORITY_STOP)

    def _send_stop_on_stop(self) -> None:
        self._send_stop(self.behaviour.stop_adverts_on_stop)

    def _send_stop_on_fault(self) -> None:
        self._send_stop(self.behaviour.stop_adverts_on_fault)

    def _add_addresses(self) -> None:
        self.effects.append(AddAddresses(self.config.served))

    def _settle_addresses(self) -> None:
        self.effects.append(RemoveAddresses(self.config.served))

    def _remove_addresses(self) -> None:
        self._bursts.stop()
        self.effects.append(RemoveAddresses(self.config.served))

    def _announce(self) -> None:
        self._announce_now(self._bursts.begin(self._now_ns))

    def _announce_against(self) -> None:
        self._announce_now(self._bursts.answer(self._now_ns))
        if any(state == "MASTER_RX_LOWER_PRI" for state, _ in self.config.hooks.commands):
            self.effects.append(NotifyOfLower(self.config.name))

    def _announce_now(self, bursts: list[SendGratuitousArp]) -> None:
        for burst in bursts:
            for address in burst.addresses:
                self._say(Say.ANNOUNCING, device=address.device, address=address.address)
            self.effects.append(burst)

    def _start_preempt_delay(self) -> None:
        self._preempt_ns = self._now_ns + self.config.preempt_delay_ns

    def _cancel_preempt_delay(self) -> None:
        self._preempt_ns = None

    def _note_answer(self) -> None:
        self._answered_ns = self._now_ns

    def _report_down(self) -> None:
        self._report(Say.INTERFACE_DOWN, up=False)

    def _report_up(self) -> None:
        self._report(Say.INTERFACE_UP, up=True)

    def _report(self, say: Say, up: bool) -> None:
        for name, state in self._links.items():
            if state == up:
                self._say(say, interface=name)

    # -- saying so

    def _say_step(self, what: Say) -> None:
        ration = _RATIONS.get(what)
        if ration is not None and not self._allowed(what, ration):
            self._muted = True  # nor what else this transition would say
        self._say(what)

    def _say(self, what: Say, **more: str) -> None:
        line = self._voice.get(what)
        if line is None or self._muted or (line.detail and not self._detail):
            return
        fields: dict[str, object] = {
            "name": self.config.name,
            "ours": self.priority,
            "priority": self._advert.priority if self._advert else None,
            "source": _text(self._source, self.config.family),
        }
        self.effects.append(Log(line.template.format(**{**fields, **more}), line.detail))

    def _allowed(self, what: object, ration: tuple[int, int], now: int | None = None) -> bool:
        kept = self._rations.get(what)
        if kept is None:
            kept = self._rations[what] = Ration(*ration)
        return kept.allows(self._now_ns if now is None else now)


_STEPS: dict[Do, Callable[[Router], None]] = {
    Do.ARM_ADVERT: Router._arm_advert,
    Do.ARM_MASTER_DOWN: Router._arm_master_down,
    Do.ARM_SKEW: Router._arm_skew,
    Do.ADOPT_INTERVAL: Router._adopt_interval,
    Do.FORGET_INTERVAL: Router._forget_interval,
    Do.WAIT_FOR_GROUP: Router._wait_for_group,
    Do.STOP_TIMERS: Router._stop_timers,
    Do.SEND_ADVERT: Router._send_advert,
    Do.SEND_STOP: Router._send_stop_on_stop,
    Do.SEND_STOP_ON_FAULT: Router._send_stop_on_fault,
    Do.ADD_ADDRESSES: Router._add_addresses,
    Do.REMOVE_ADDRESSES: Router._remove_addresses,
    Do.SETTLE_ADDRESSES: Router._settle_addresses,
    Do.ANNOUNCE: Router._announce,
    Do.ANNOUNCE_AGAINST: Router._announce_against,
    Do.START_PREEMPT_DELAY: Router._start_preempt_delay,
    Do.CANCEL_PREEMPT_DELAY: Router._cancel_preempt_delay,
    Do.NOTE_ANSWER: Router._note_answer,
    Do.REPORT_DOWN: Router._report_down,
    Do.REPORT_UP: Router._report_up,
}

_Compiled = tuple[tuple[If, ...], tuple[Callable[[Router], None], ...], State]


@cache
def _machine(holding: frozenset[If]) -> Mapping[tuple[State, Event], tuple[_Compiled, ...]]:
    """The machine of all routers for which just these conditions are settled to hold, ready to run."""
    rows = resolve({condition: condition in holding for condition in If if condition not in ASKED_EACH_TIME})
    return MappingProxyType(
        {
            key: tuple((row.when, tuple(map(_carried_out, row.do)), row.then) for row in found)
            for key, found in rows.items()
        }
    )


def _carried_out(step: Step) -> Callable[[Router], None]:
    return partial(_say_step, what=step) if isinstance(step, Say) else _STEPS[step]


def _say_step(router: Router, what: Say) -> None:
    router._say_step(what)


def _text(address: int, family: int) -> str:
    if family == 4:
        return ".".join(str(octet) for octet in address.to_bytes(4, "big"))
    from ipaddress import IPv6Address  # not before it is needed: it takes 4 ms to import

    return str(IPv6Address(address))
