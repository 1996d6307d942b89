"""What should happen when: the protocols' deadlines, and the outages that the tested daemon's timing model gives.

A model is in units of the protocol's own times, so that a window follows from the configuration and from where in the
advert interval the fault struck. Each family of daemons brings its own (`viplab.subjects.family`).
"""

from __future__ import annotations

from collections.abc import Callable

from viplab.subjects.family import Terms
from viplab.types import NodeTimers, Protocol

# How far a measured value may be off the predicted one before a trial fails, in seconds. Scheduling of a guest that is
# emulated accounts for some 20 ms; a quarter of a second is far from any other value of the table.
OUTAGE_SLACK_S = 0.25
DEADLINE_EXCESS_S = (-0.02, 0.25)


def outage_slack_s(interval_s: float) -> float:
    """How far an outage may be off its window: the stream's resolution at both ends, and scheduling.

    What is not known of the fault's time is in the window itself.
    """
    return OUTAGE_SLACK_S + 2 * interval_s


def allowed_outage_s(window_s: tuple[float, float], interval_s: float) -> tuple[float, float]:
    """The outages that a stream of requests at this interval may show of one that is in its window."""
    slack_s = outage_slack_s(interval_s)
    return window_s[0] - slack_s, window_s[1] + slack_s


def allowed_excess_s(held_back_s: float) -> tuple[float, float]:
    """How far from its deadline a first advert may come, where what is below the daemon may hold it back so long."""
    return DEADLINE_EXCESS_S[0], DEADLINE_EXCESS_S[1] + held_back_s


def beyond_s(value_s: float, allowed_s: tuple[float, float]) -> float:
    """By how much a value is outside of what is allowed; 0 within."""
    return max(allowed_s[0] - value_s, value_s - allowed_s[1], 0.0)


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
    # Nobody is told apart by how long it waits.
    "none": lambda node: 0,
}


def span_ns(terms: Terms, node: NodeTimers, protocol: Protocol = "vrrp2") -> int:
    """The sum, without x, by these timers; the most that it can be."""
    waits = terms.downs * down_interval_ns(node, protocol) + terms.skews * released_ns(node, protocol)
    return waits + terms.adverts * advert_ns(node) + round(terms.fixed_s[1] * _SECOND_NS)


def delayed_ns(window: tuple[int, int], node: NodeTimers) -> tuple[int, int]:
    """A window after `preempt_delay`, which begins and ends with adverts that are heard: an interval less, or more."""
    if not node.preempt_delay_s:
        return window
    delay_ns = round(node.preempt_delay_s * _SECOND_NS)
    return window[0] + delay_ns - advert_ns(node), window[1] + delay_ns + advert_ns(node)


def window_ns(
    terms: Terms, node: NodeTimers, x_ns: tuple[int, int] | None, protocol: Protocol = "vrrp2"
) -> tuple[int, int]:
    """Lowest and highest outage for an x between two values, or anywhere in an advert interval if not known."""
    low_x_ns, high_x_ns = (x_ns or (0, advert_ns(node))) if terms.less_x else (0, 0)
    most = span_ns(terms, node, protocol)
    least = most - round((terms.fixed_s[1] - terms.fixed_s[0]) * _SECOND_NS)
    return 0 if terms.at_most else least - high_x_ns, most - low_x_ns
