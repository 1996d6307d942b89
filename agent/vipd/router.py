"""One virtual router: what happens goes in with the time, what is to be done comes out.

The methods that say what happened (`started`, `advert_received`, `interface_changed`, `handle_deadline`, `shut_down`)
find the transition in `table` and carry it out as effects on a list; the shell drains that list and does what it says.
Nothing here reads a clock, opens a socket or blocks, so a test can live a day in a millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Union

from vipd.behaviour import SECOND_NS, Behaviour
from vipd.config import RouterConfig, VirtualAddress, skew_ns
from vipd.packet import PRIORITY_OWNER, PRIORITY_STOP, Advert, Discard, decode, encode
from vipd.packet import TTL as ADVERT_TTL
from vipd.table import Do, Event, If, Row, State, resolve
from vipd.voice import VOICES, Say

DISCARD_LOG_INTERVAL_NS = 10_000_000_000


class SendAdvert(NamedTuple):
    """Send this to the group, now: it comes before any slower work."""

    priority: int
    packet: bytes


class AddAddresses(NamedTuple):
    """Set these addresses; one that is there already is fine."""

    addresses: tuple[VirtualAddress, ...]


class RemoveAddresses(NamedTuple):
    """Remove these addresses; one that is not there is fine."""

    addresses: tuple[VirtualAddress, ...]


class SendGratuitousArp(NamedTuple):
    """Announce these addresses, all of them in each of `repeat` rounds."""

    addresses: tuple[VirtualAddress, ...]
    repeat: int


class Log(NamedTuple):
    """Log this line; `detail` marks those that only `-D` shows."""

    text: str
    detail: bool


class Notify(NamedTuple):
    """The router is in another state now."""

    name: str
    state: State


Effect = Union[SendAdvert, AddAddresses, RemoveAddresses, SendGratuitousArp, Log, Notify]


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
        If.ZERO_IS_LOWER: behaviour.takes_zero_for_lower,
        If.REARMS: behaviour.rearms_at_every_packet,
    }


class Router:
    """A virtual router of RFC 3768, in the manner of one `Behaviour`.

    Attributes:
        state: where it is; only rows of the table change it.
        primary: primary address of the interface, as an integer; the tie between equal priorities needs it. The shell
            keeps it up to date.
        priority: the effective one: as configured, and moved by what is tracked.
        wanting: its timer has run out, but its sync group is not ready to become master.
        group_holds: asks the sync group whether that is so.
        effects: what is to be done, oldest first; `drain` hands it over.
        discards: how many packets were refused, by reason.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, primary: int = 0) -> None:
        self.config = config
        self.behaviour = behaviour
        self.primary = primary
        self.priority = config.priority
        self.wanting = False
        self.group_holds: Callable[[], bool] = lambda: False
        self.state = State.INITIALIZE
        self.effects: list[Effect] = []
        self.discards: dict[Discard, int] = dict.fromkeys(Discard, 0)
        self._rows = resolve(settled(config, behaviour))
        self._voice = VOICES[behaviour.name]
        self._links = dict.fromkeys(config.interfaces, False)
        self._needs = dict.fromkeys(config.needs, True)
        self._timer_ns: int | None = None
        self._garp_ns: int | None = None
        self._preempt_ns: int | None = None
        self._now_ns = 0  # when the event being handled happened; timers count from it
        self._advert: Advert | None = None
        self._source = 0
        self._next_discard_log_ns: int | None = None
        octets = b"".join(address.octets for address in config.addresses)
        self._expected = sorted(octets[at : at + 4] for at in range(0, len(octets), 4))
        self._octets = octets
        self._own_advert, self._stop_advert = self._advert_of(config.priority), self._advert_of(PRIORITY_STOP)
        self._garp_repeat = behaviour.garp_repeat if config.garp_repeat is None else config.garp_repeat
        self._garp_delay_ns = behaviour.garp_delay_ns if config.garp_delay_ns is None else config.garp_delay_ns
        self._steps: dict[Do, Callable[[], None]] = {
            Do.ARM_ADVERT: lambda: self._arm(config.advert_int_ns),
            Do.ARM_MASTER_DOWN: self._arm_master_down,
            Do.ARM_SKEW: lambda: self._arm(self._skew_ns),
            Do.WAIT_FOR_GROUP: self._wait_for_group,
            Do.STOP_TIMERS: self._stop_timers,
            Do.SEND_ADVERT: lambda: self.effects.append(self._own_advert),
            Do.SEND_STOP: lambda: self._send_stop(behaviour.stop_adverts_on_stop),
            Do.SEND_STOP_ON_FAULT: lambda: self._send_stop(behaviour.stop_adverts_on_fault),
            Do.ADD_ADDRESSES: lambda: self.effects.append(AddAddresses(config.addresses)),
            Do.REMOVE_ADDRESSES: self._remove_addresses,
            Do.SETTLE_ADDRESSES: lambda: self.effects.append(RemoveAddresses(config.addresses)),
            Do.ANNOUNCE: self._announce,
            Do.START_PREEMPT_DELAY: self._start_preempt_delay,
            Do.CANCEL_PREEMPT_DELAY: self._cancel_preempt_delay,
            Do.REPORT_DOWN: lambda: self._report(Say.INTERFACE_DOWN, up=False),
            Do.REPORT_UP: lambda: self._report(Say.INTERFACE_UP, up=True),
        }

    # -- what happened

    def started(self, links: dict[str, bool], now: int) -> None:
        """The daemon started; `links` says of each of `config.interfaces` whether it is up."""
        self._links.update((name, up) for name, up in links.items() if name in self._links)
        self._happened(Event.STARTED, now)

    def advert_received(self, payload: bytes, source: int, ttl: int, now: int) -> Discard | None:
        """A packet of protocol 112 for this router was read; returns why it was refused, if it was.

        Args:
            payload: what followed the IP header, cut at the IP total length.
            source: the sender's address, as an integer.
            ttl: of the IP header.
            now: monotonic nanoseconds.
        """
        advert = self._checked(payload, source, ttl)
        if isinstance(advert, Discard):
            self.discards[advert] += 1
            self._log_discard(advert, source, now)
            return advert
        self._advert = advert
        self._source = source
        self._happened(self._weigh(advert.priority, source), now)
        return None

    def interface_changed(self, name: str, up: bool, now: int) -> None:
        """An interface came up or went down, or was created or deleted."""
        if self._links.get(name, up) == up:
            return
        before = self._links_up
        self._links[name] = up
        if self.state is not State.INITIALIZE:
            self._say(Say.LINK_UP if up else Say.LINK_DOWN, interface=name)
        if before != self._links_up:
            self._happened(Event.LINKS_RESTORED if self._links_up else Event.LINKS_LOST, now)

    def need_changed(self, name: str, met: bool, now: int) -> None:
        """Something else that this router cannot do without (`config.needs`) has come or gone."""
        before = self._links_up
        self._needs[name] = met
        if before != self._links_up:
            self._happened(Event.LINKS_RESTORED if self._links_up else Event.LINKS_LOST, now)

    def priority_changed(self, priority: int, now: int) -> None:
        """What is tracked has moved the effective priority; the next advert has it, and so has the next skew."""
        if priority != self.priority:
            self._say(Say.PRIORITY_CHANGED, before=str(self.priority), after=str(priority))
            self.priority = priority
            self._own_advert = self._advert_of(priority)

    def group_claimed(self, now: int) -> None:
        """Another member of the sync group became master."""
        self._happened(Event.GROUP_CLAIMED, now)

    def group_released(self, now: int) -> None:
        """Another member of the sync group became backup."""
        self._happened(Event.GROUP_RELEASED, now)

    def deadline(self) -> int | None:
        """When `handle_deadline` wants to be called next; None for not at all."""
        if self._timer_ns is None or (self._garp_ns is not None and self._garp_ns < self._timer_ns):
            return self._garp_ns
        return self._timer_ns

    def handle_deadline(self, now: int) -> None:
        """The deadline has come. Called before it, it does nothing."""
        timer_ns = self._timer_ns
        if timer_ns is not None and timer_ns <= now:
            self._timer_ns = None
            # Counting from the deadline rather than from the wake-up keeps the schedule free of drift, unless it has
            # been missed by so much (a suspended machine) that catching up would send a volley.
            late = self.behaviour.rearms_at_every_packet or now - timer_ns >= self.config.advert_int_ns
            self._happened(Event.TIMER_EXPIRED, now if late else timer_ns)
        if self._garp_ns is not None and self._garp_ns <= now:
            self._garp_ns = None
            self._burst()

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
        for row in self._rows.get((self.state, event), ()):
            if not row.when or all(self._holds(condition) for condition in row.when):
                self._take(row)
                return

    def _take(self, row: Row) -> None:
        for step in row.do:
            if isinstance(step, Say):
                self._say(step)
            else:
                self._steps[step]()
        if row.then is not self.state:
            self.state = row.then
            self.effects.append(Notify(self.config.name, row.then))

    def _holds(self, condition: If) -> bool:
        """Conditions that have to be asked when something happened."""
        if condition is If.LINKS_DOWN:
            return not self._links_up
        if condition is If.GROUP_HOLDS:
            return self.group_holds()
        if condition is If.FROM_OWNER:
            return self._advert is not None and self._advert.priority == PRIORITY_OWNER
        if condition is If.PREEMPT_DELAY_UNSET:
            return self._preempt_ns is None
        return self._preempt_ns is not None and self._now_ns < self._preempt_ns

    @property
    def _links_up(self) -> bool:
        return all(self._links.values()) and all(self._needs.values())

    # -- judging a packet

    def _checked(self, payload: bytes, source: int, ttl: int) -> Advert | Discard:
        """The checks of RFC 3768 section 7.1 in its order; the first that fails names the discard."""
        if ttl != ADVERT_TTL:
            return Discard.TTL
        advert = decode(payload)
        if isinstance(advert, Discard):
            return advert
        if advert.vrid != self.config.vrid:
            return Discard.VRID
        if source == self.primary and advert.priority == self.priority:
            return Discard.LOOPED
        if self.config.priority == PRIORITY_OWNER and not self.behaviour.owner_listens:
            return Discard.OWNER
        if advert.advert_int_s * SECOND_NS != self.config.advert_int_ns:
            return Discard.INTERVAL
        octets = advert.addresses
        listed = sorted(octets[at : at + 4] for at in range(0, len(octets), 4))
        if listed != self._expected and advert.priority != PRIORITY_OWNER:
            return Discard.ADDRESSES
        return advert

    def _weigh(self, priority: int, source: int) -> Event:
        """What an advert is, compared with this router (section 6.4.3; ties by address, unsigned)."""
        own = self.priority
        if priority == PRIORITY_STOP:
            return Event.ZERO_RECEIVED
        if priority != own:
            return Event.HIGHER_RECEIVED if priority > own else Event.LOWER_RECEIVED
        primary = self.primary
        if self.behaviour.misreads_tie:
            primary = int.from_bytes(primary.to_bytes(4, "big"), "little")
        return Event.TIE_LOST if source > primary else Event.TIE_WON

    def _log_discard(self, reason: Discard, source: int, now: int) -> None:
        """Log a discard, but not more often than a flood could use to fill a disk; the counters miss none."""
        if self._next_discard_log_ns is None or now >= self._next_discard_log_ns:
            self._next_discard_log_ns = now + DISCARD_LOG_INTERVAL_NS
            self._source = source
            self._say(Say.DISCARDED, reason=reason.value)

    # -- the steps that are more than an effect

    def _arm(self, delay_ns: int) -> None:
        self._timer_ns = self._now_ns + delay_ns

    def _arm_master_down(self) -> None:
        self.wanting = False
        self._arm(self.config.down_timer_adverts * self.config.advert_int_ns + self._skew_ns)

    def _wait_for_group(self) -> None:
        self._arm_master_down()
        self.wanting = True

    @property
    def _skew_ns(self) -> int:
        priority = self.config.priority if self.behaviour.skews_by_base_priority else self.priority
        return skew_ns(self.config.wire_version, priority, self.config.advert_int_ns)

    def _advert_of(self, priority: int) -> SendAdvert:
        config = self.config
        return SendAdvert(
            priority, encode(Advert(config.vrid, priority, config.advert_int_ns // SECOND_NS, self._octets))
        )

    def _stop_timers(self) -> None:
        self._timer_ns = self._garp_ns = self._preempt_ns = None

    def _send_stop(self, count: int) -> None:
        for _ in range(count):
            self.effects.append(self._stop_advert)
            self._say(Say.STOP_ADVERT_SENT)

    def _remove_addresses(self) -> None:
        self._garp_ns = None
        self.effects.append(RemoveAddresses(self.config.addresses))

    def _announce(self) -> None:
        self._burst()
        self._garp_ns = self._now_ns + self._garp_delay_ns if self._garp_delay_ns else None

    def _burst(self) -> None:
        for address in self.config.addresses:
            self._say(Say.ANNOUNCING, device=address.device, address=address.address)
        self.effects.append(SendGratuitousArp(self.config.addresses, self._garp_repeat))

    def _start_preempt_delay(self) -> None:
        self._preempt_ns = self._now_ns + self.config.preempt_delay_ns

    def _cancel_preempt_delay(self) -> None:
        self._preempt_ns = None

    def _report(self, say: Say, up: bool) -> None:
        for interface in self._interfaces_that_are(up):
            self._say(say, interface=interface)

    def _interfaces_that_are(self, up: bool) -> Iterable[str]:
        return [name for name, state in self._links.items() if state == up]

    def _say(self, what: Say, **more: str) -> None:
        line = self._voice.get(what)
        if line is not None:
            fields: dict[str, object] = {
                "name": self.config.name,
                "ours": self.priority,
                "priority": self._advert.priority if self._advert else None,
                "source": ".".join(str(octet) for octet in self._source.to_bytes(4, "big")),
            }
            self.effects.append(Log(line.template.format(**{**fields, **more}), line.detail))
