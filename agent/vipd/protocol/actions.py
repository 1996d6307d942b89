"""Implements the actions and log lines that rows of the table name, and the state of a router that they work on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig, skew_ns
from vipd.protocol.advert_codec import AdvertCodec
from vipd.protocol.counters import Counters
from vipd.protocol.effects import AddAddresses, Effect, NotifyOfLower, RemoveAddresses, ResolvePeers, SendGratuitousArp
from vipd.protocol.garp_schedule import GarpSchedule
from vipd.protocol.log_messages import LOG_MESSAGES, LogEvent
from vipd.protocol.packet import PRIORITY_STOP, Advert
from vipd.protocol.rate_limit import Allowance
from vipd.protocol.router_log import RouterLog
from vipd.protocol.table import Action, Step

_ANSWERS = 10  # to adverts that lose, at once, and then in each interval: all hear an answer, whoever it is for
# As keepalived 1 and 2 call them; by the family of the address.
_ANNOUNCEMENTS = {4: "gratuitous ARPs", 6: "Unsolicited Neighbour Adverts"}


class RouterActions:
    """The part of a virtual router that acts: timers, adverts, addresses, log lines. `router.Router` adds the inputs.

    Attributes:
        config: its `vrrp_instance`.
        behaviour: the profile.
        priority: the effective priority.
        wants_master: its timer has expired, but its sync group is not ready to become master.
        effects: what the caller has to carry out, oldest first.
        counters: of what it has sent, accepted and discarded.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, detail: bool) -> None:
        self.config = config
        self.behaviour = behaviour
        self.priority = config.priority
        self.wants_master = False
        self.effects: list[Effect] = []
        self.counters = Counters()
        self._codec = AdvertCodec(config, behaviour)
        self._garp = GarpSchedule(config, behaviour)
        self._router_log = RouterLog(config, LOG_MESSAGES[behaviour.name], detail)
        self._muted = False
        carriers = config.carriers if behaviour.tracks_carriers else ()
        self._links = dict.fromkeys((*config.interfaces, *carriers), False)
        self._timer_ns: int | None = None
        self._preempt_ns: int | None = None
        self._answers = Allowance(_ANSWERS, config.advert_int_ns // _ANSWERS)
        self._answered_ns = -1  # when it last answered a lower priority
        self._now_ns = 0  # when the event being handled happened; timers count from it
        self._interval_ns = config.advert_int_ns  # Active_Adver_Interval of RFC 9568
        self._advert: Advert | None = None
        self._source = 0

    # -- timers

    def _arm(self, delay_ns: int) -> None:
        self._timer_ns = self._now_ns + delay_ns

    def _arm_advert(self) -> None:
        self._timer_ns = self._now_ns + self.config.advert_int_ns

    def _arm_master_down(self) -> None:
        self.wants_master = False
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
        self.wants_master = True

    def _stop_timers(self) -> None:
        self._timer_ns = self._preempt_ns = None
        self._garp.stop()

    def _start_preempt_delay(self) -> None:
        self._preempt_ns = self._now_ns + self.config.preempt_delay_ns

    def _cancel_preempt_delay(self) -> None:
        self._preempt_ns = None

    # -- adverts, addresses, announcements

    def _send(self, priority: int) -> None:
        if self._codec.source:
            adverts = self._codec.adverts(priority)
            self.effects.extend(adverts)
            self.counters.adverts_sent += len(adverts)
            if priority == PRIORITY_STOP:
                self.counters.zeros_sent += len(adverts)
                self._log(LogEvent.STOP_ADVERT_SENT)

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
        self._garp.stop()
        self.effects.append(RemoveAddresses(self.config.served))

    def _announce(self) -> None:
        self._announce_now(self._garp.begin(self._now_ns))

    def _resolve_peers(self) -> None:
        if self.config.unicast_peers:
            self.effects.append(ResolvePeers(self.config.unicast_peers))

    def _announce_against(self) -> None:
        self._announce_now(self._garp.answer(self._now_ns))
        if any(state == "MASTER_RX_LOWER_PRI" for state, _ in self.config.hooks.commands):
            self.effects.append(NotifyOfLower(self.config.name))

    def _note_answer(self) -> None:
        self._answered_ns = self._now_ns
        self._answers.take(self._now_ns)

    def _announce_now(self, bursts: list[SendGratuitousArp]) -> None:
        for burst in bursts:
            for address in burst.addresses:
                what = _ANNOUNCEMENTS[address.family]
                self._log(LogEvent.ANNOUNCING, what=what, device=address.device, address=address.address)
            self.effects.append(burst)

    # -- saying so

    def _report_down(self) -> None:
        self._report(LogEvent.INTERFACE_DOWN, up=False)

    def _report_up(self) -> None:
        self._report(LogEvent.INTERFACE_UP, up=True)

    def _report(self, event: LogEvent, up: bool) -> None:
        for name, state in self._links.items():
            if state == up:
                self._log(event, interface=name)

    def _log_step(self, event: LogEvent) -> None:
        if not self._router_log.allows(event, self._now_ns):
            self._muted = True  # nor anything else of this transition
        self._log(event)

    def _log(self, event: LogEvent, source: int | None = None, **more: str) -> None:
        """Log an event; `source` is the sender of a discarded packet."""
        if not self._muted:
            heard = self._advert.priority if self._advert else None
            message = self._router_log.message(
                event, self.priority, heard, self._source if source is None else source, more
            )
            if message is not None:
                self.effects.append(message)


_IMPLEMENTATIONS: dict[Action, Callable[[RouterActions], None]] = {
    Action.ARM_ADVERT: RouterActions._arm_advert,
    Action.ARM_MASTER_DOWN: RouterActions._arm_master_down,
    Action.ARM_SKEW: RouterActions._arm_skew,
    Action.ADOPT_INTERVAL: RouterActions._adopt_interval,
    Action.FORGET_INTERVAL: RouterActions._forget_interval,
    Action.WAIT_FOR_GROUP: RouterActions._wait_for_group,
    Action.STOP_TIMERS: RouterActions._stop_timers,
    Action.SEND_ADVERT: RouterActions._send_advert,
    Action.SEND_STOP: RouterActions._send_stop_on_stop,
    Action.SEND_STOP_ON_FAULT: RouterActions._send_stop_on_fault,
    Action.ADD_ADDRESSES: RouterActions._add_addresses,
    Action.REMOVE_ADDRESSES: RouterActions._remove_addresses,
    Action.SETTLE_ADDRESSES: RouterActions._settle_addresses,
    Action.ANNOUNCE: RouterActions._announce,
    Action.RESOLVE_PEERS: RouterActions._resolve_peers,
    Action.ANNOUNCE_AGAINST: RouterActions._announce_against,
    Action.START_PREEMPT_DELAY: RouterActions._start_preempt_delay,
    Action.CANCEL_PREEMPT_DELAY: RouterActions._cancel_preempt_delay,
    Action.NOTE_ANSWER: RouterActions._note_answer,
    Action.REPORT_DOWN: RouterActions._report_down,
    Action.REPORT_UP: RouterActions._report_up,
}


def implementation(step: Step) -> Callable[[RouterActions], None]:
    """The function that carries out a step of the table."""
    return partial(RouterActions._log_step, event=step) if isinstance(step, LogEvent) else _IMPLEMENTATIONS[step]
