"""What a router can do: each step that a row of the table may name, and what of a router the steps work on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig, skew_ns
from vipd.protocol.advert_codec import Dialect
from vipd.protocol.counters import Counts
from vipd.protocol.effects import AddAddresses, Effect, NotifyOfLower, RemoveAddresses, SendGratuitousArp
from vipd.protocol.garp_schedule import Bursts
from vipd.protocol.log_messages import VOICES, Say
from vipd.protocol.packet import PRIORITY_STOP, Advert
from vipd.protocol.router_log import Saying
from vipd.protocol.table import Do, Step


class Stepping:
    """A virtual router as far as it acts; `router.Router` is all of it.

    Attributes:
        config: its `vrrp_instance`.
        behaviour: the profile.
        priority: the effective one: as configured, and moved by what is tracked.
        wanting: its timer has run out, but its sync group is not ready to become master.
        effects: what is to be done, oldest first.
        counts: what it has sent, heard and refused.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour, detail: bool) -> None:
        self.config = config
        self.behaviour = behaviour
        self.priority = config.priority
        self.wanting = False
        self.effects: list[Effect] = []
        self.counts = Counts()
        self._dialect = Dialect(config, behaviour)
        self._bursts = Bursts(config, behaviour)
        self._saying = Saying(config, VOICES[behaviour.name], detail)
        self._muted = False
        self._links = dict.fromkeys(config.interfaces, False)
        self._timer_ns: int | None = None
        self._preempt_ns: int | None = None
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

    def _start_preempt_delay(self) -> None:
        self._preempt_ns = self._now_ns + self.config.preempt_delay_ns

    def _cancel_preempt_delay(self) -> None:
        self._preempt_ns = None

    # -- adverts, addresses, announcements

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

    def _note_answer(self) -> None:
        self._answered_ns = self._now_ns

    def _announce_now(self, bursts: list[SendGratuitousArp]) -> None:
        for burst in bursts:
            for address in burst.addresses:
                self._say(Say.ANNOUNCING, device=address.device, address=address.address)
            self.effects.append(burst)

    # -- saying so

    def _report_down(self) -> None:
        self._report(Say.INTERFACE_DOWN, up=False)

    def _report_up(self) -> None:
        self._report(Say.INTERFACE_UP, up=True)

    def _report(self, say: Say, up: bool) -> None:
        for name, state in self._links.items():
            if state == up:
                self._say(say, interface=name)

    def _say_step(self, what: Say) -> None:
        if not self._saying.allows(what, self._now_ns):
            self._muted = True  # nor what else this transition would say
        self._say(what)

    def _say(self, what: Say, source: int | None = None, **more: str) -> None:
        """Say something; `source` is who a packet came from that was refused."""
        if not self._muted:
            heard = self._advert.priority if self._advert else None
            line = self._saying.line(what, self.priority, heard, self._source if source is None else source, more)
            if line is not None:
                self.effects.append(line)


_METHODS: dict[Do, Callable[[Stepping], None]] = {
    Do.ARM_ADVERT: Stepping._arm_advert,
    Do.ARM_MASTER_DOWN: Stepping._arm_master_down,
    Do.ARM_SKEW: Stepping._arm_skew,
    Do.ADOPT_INTERVAL: Stepping._adopt_interval,
    Do.FORGET_INTERVAL: Stepping._forget_interval,
    Do.WAIT_FOR_GROUP: Stepping._wait_for_group,
    Do.STOP_TIMERS: Stepping._stop_timers,
    Do.SEND_ADVERT: Stepping._send_advert,
    Do.SEND_STOP: Stepping._send_stop_on_stop,
    Do.SEND_STOP_ON_FAULT: Stepping._send_stop_on_fault,
    Do.ADD_ADDRESSES: Stepping._add_addresses,
    Do.REMOVE_ADDRESSES: Stepping._remove_addresses,
    Do.SETTLE_ADDRESSES: Stepping._settle_addresses,
    Do.ANNOUNCE: Stepping._announce,
    Do.ANNOUNCE_AGAINST: Stepping._announce_against,
    Do.START_PREEMPT_DELAY: Stepping._start_preempt_delay,
    Do.CANCEL_PREEMPT_DELAY: Stepping._cancel_preempt_delay,
    Do.NOTE_ANSWER: Stepping._note_answer,
    Do.REPORT_DOWN: Stepping._report_down,
    Do.REPORT_UP: Stepping._report_up,
}


def method(step: Step) -> Callable[[Stepping], None]:
    """What carries out a step of the table."""
    return partial(Stepping._say_step, what=step) if isinstance(step, Say) else _METHODS[step]
