"""What should happen when: the protocols' deadlines and, per family of daemon and effect of a fault, the outage.

The windows are a table, `OUTAGE`, in units of the protocol's own times, so that they follow from the configuration and
from where in the advert interval the fault struck.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viplab.faults import Effect
from viplab.types import NodeTimers, Protocol

# How far a measured value may be off the predicted one before a trial fails, in seconds. Scheduling of a guest that is
# emulated accounts for some 20 ms; a quarter of a second is far from any other value of the table.
OUTAGE_SLACK_S = 0.25
DEADLINE_EXCESS_S = (-0.02, 0.25)


def advert_ns(node: NodeTimers) -> int:
    """Advertisement_Interval; CARP's advbase."""
    return round(node.advert_int_s * _SECOND_NS)


def skew_ns(node: NodeTimers, protocol: Protocol = "vrrp2") -> int:
    """Skew_Time: what tells the backups of one master apart."""
    return _SKEW[protocol](node)


def down_interval_ns(node: NodeTimers, protocol: Protocol = "vrrp2") -> int:
    """Master_Down_Interval: three advert intervals and the skew time, in all three protocols."""
    return 3 * advert_ns(node) + skew_ns(node, protocol)


def released_ns(node: NodeTimers, protocol: Protocol = "vrrp2") -> int:
    """How long a backup waits after a master has given up: the skew time after priority 0, nothing in CARP.

    There a master that stops says so with the longest interval that it can state, and a backup takes one that would
    outlast its own timer for dead.
    """
    return 0 if protocol == "carp" else skew_ns(node, protocol)


_SECOND_NS = 1_000_000_000
_SKEW: dict[Protocol, Callable[[NodeTimers], int]] = {
    # RFC 3768, section 6.1: (256 - Priority) / 256 seconds, whatever the advert interval.
    "vrrp2": lambda node: (256 - node.priority) * _SECOND_NS // 256,
    # RFC 9568, section 6.1: the same share of the advert interval, which is the master's; not rounded to centiseconds.
    "vrrp3": lambda node: (256 - node.priority) * advert_ns(node) // 256,
    # advskew is in 256ths of a second.
    "carp": lambda node: node.advskew * _SECOND_NS // 256,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """An outage as a sum: so many down intervals, skew times and advert intervals of the host that takes over.

    `less_x` takes away x, the time from the last advert to the fault, for which the backup's timer had been running.
    """

    downs: int = 0
    skews: int = 0
    adverts: int = 0
    less_x: bool = False

    def span_ns(self, node: NodeTimers, protocol: Protocol = "vrrp2") -> int:
        """The sum, without x."""
        waits = self.downs * down_interval_ns(node, protocol) + self.skews * released_ns(node, protocol)
        return waits + self.adverts * advert_ns(node)

    def window_ns(
        self, node: NodeTimers, x_ns: tuple[int, int] | None, protocol: Protocol = "vrrp2"
    ) -> tuple[int, int]:
        """Lowest and highest outage for an x between two values, or anywhere in an advert interval if not known."""
        most = self.span_ns(node, protocol)
        if not self.less_x:
            return most, most
        low_ns, high_ns = x_ns or (0, advert_ns(node))
        return most - high_ns, most - low_ns


NONE = Terms()
# No priority-0 advert of keepalived 1.2.2 leaves the host, and it spends one advert interval between "Transition to"
# and "Entering MASTER STATE" without the address; 2.x differs in both. SIGKILL runs no clean-up: the address stays and
# goes on answering.
_TIMER_AND_TRANSITION = Terms(downs=1, adverts=1, less_x=True)
OUTAGE: dict[tuple[str, Effect], Terms] = {
    ("keepalived-1.2.2", Effect.DAEMON_LOST): NONE,
    ("keepalived-1.2.2", Effect.GIVES_UP): _TIMER_AND_TRANSITION,
    ("keepalived-1.2.2", Effect.HOST_LOST): _TIMER_AND_TRANSITION,
    ("keepalived-1.2.2", Effect.RETURNS): Terms(adverts=1),
    ("keepalived-2", Effect.DAEMON_LOST): NONE,
    ("keepalived-2", Effect.GIVES_UP): Terms(skews=1),
    ("keepalived-2", Effect.HOST_LOST): Terms(downs=1, less_x=True),
    ("keepalived-2", Effect.RETURNS): NONE,
}
# First advert of the new master to its first gratuitous ARP, in advert intervals.
ANNOUNCE_ADVERTS: dict[str, int] = {"keepalived-1.2.2": 1, "keepalived-2": 0}
