"""Schedules the announcements of a master's addresses: at once, after a delay, periodically, and spaced if configured.

A switch or neighbour that misses the one announcement goes on sending to the old master, so keepalived repeats them
(garp_master_repeat, _delay, _refresh; garp_lower_prio_*), and spaces them for switches that limit them (garp_interval).
"""

from __future__ import annotations

from collections import deque

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig, VirtualAddress
from vipd.protocol.effects import SendGratuitousArp


class GarpSchedule:
    """The schedule of one router. Methods return the announcements to send now.

    Attributes:
        due_ns: when `handle` wants to be called next; None for not at all.
    """

    def __init__(self, config: RouterConfig, behaviour: Behaviour) -> None:
        self.due_ns: int | None = None
        self._addresses = config.served
        self._interval_ns = {4: config.garp_interval_ns, 6: config.gna_interval_ns}
        self._repeat, self._delay_ns = (
            _configured(config.garp_repeat, behaviour.garp_repeat),
            _configured(config.garp_delay_ns, behaviour.garp_delay_ns),
        )
        self._lower_repeat, self._lower_delay_ns = (
            _configured(config.garp_lower_prio_repeat, behaviour.garp_repeat),
            _configured(config.garp_lower_prio_delay_ns, behaviour.garp_delay_ns),
        )
        self._refresh_ns, self._refresh_repeat = config.garp_refresh_ns, config.garp_refresh_repeat
        self._again: tuple[int, int] | None = None  # when the second burst is due, and its repeats
        self._refresh_due_ns: int | None = None
        self._waiting: deque[VirtualAddress] = deque()
        self._next_ns: dict[int, int] = {}  # when the next one of a family may leave

    def begin(self, now: int) -> list[SendGratuitousArp]:
        """The addresses were added."""
        if self._refresh_ns:
            self._refresh_due_ns = now + self._refresh_ns
        return self._burst(self._repeat, self._delay_ns, now)

    def answer(self, now: int) -> list[SendGratuitousArp]:
        """A router of lower priority claimed the addresses, and switches may have learnt its port."""
        return self._burst(self._lower_repeat, self._lower_delay_ns, now)

    def stop(self) -> None:
        """The addresses were removed."""
        self._again = self._refresh_due_ns = self.due_ns = None
        self._waiting.clear()

    def resume_from(self, old: GarpSchedule, since: int | None) -> None:
        """Go on where another configuration's schedule stopped.

        Args:
            old: that schedule.
            since: when the router was last seen to be master; None if it is not.
        """
        self._again, self._next_ns = old._again, old._next_ns
        self._waiting = deque(address for address in old._waiting if address in self._addresses)
        if self._refresh_ns and since is not None:
            left_ns = self._refresh_ns if old._refresh_due_ns is None else old._refresh_due_ns - since
            self._refresh_due_ns = since + min(left_ns, self._refresh_ns)
        self._look_ahead()

    def handle(self, now: int) -> list[SendGratuitousArp]:
        """Send what is due."""
        sent: list[SendGratuitousArp] = []
        if self._again is not None and self._again[0] <= now:
            repeat, self._again = self._again[1], None
            sent += self._send(repeat, now)
        if self._refresh_due_ns is not None and self._refresh_due_ns <= now:
            self._refresh_due_ns += self._refresh_ns * ((now - self._refresh_due_ns) // self._refresh_ns + 1)
            sent += self._send(self._refresh_repeat, now)
        sent += self._drip(now)
        self._look_ahead()
        return sent

    def _burst(self, repeat: int, delay_ns: int, now: int) -> list[SendGratuitousArp]:
        sent = self._send(repeat, now) if repeat else []
        self._again = (now + delay_ns, repeat) if repeat and delay_ns else None
        self._look_ahead()
        return sent

    def _send(self, repeat: int, now: int) -> list[SendGratuitousArp]:
        spaced = [address for address in self._addresses if self._interval_ns[address.family]]
        if not spaced:
            return [SendGratuitousArp(self._addresses, repeat)]
        at_once = tuple(address for address in self._addresses if address not in spaced)
        # A burst that overtakes one still waiting replaces it: the queue never holds more than one burst.
        self._waiting = deque(spaced * repeat)
        return [*([SendGratuitousArp(at_once, repeat)] if at_once else []), *self._drip(now)]

    def _drip(self, now: int) -> list[SendGratuitousArp]:
        sent = []
        while self._waiting and self._next_ns.get(self._waiting[0].family, now) <= now:
            address = self._waiting.popleft()
            self._next_ns[address.family] = now + self._interval_ns[address.family]
            sent.append(SendGratuitousArp((address,), 1))
        return sent

    def _look_ahead(self) -> None:
        times = [self._again[0] if self._again else None, self._refresh_due_ns]
        if self._waiting:
            times.append(self._next_ns[self._waiting[0].family])
        self.due_ns = min((time for time in times if time is not None), default=None)


def _configured(value: int | None, default: int) -> int:
    return default if value is None else value
