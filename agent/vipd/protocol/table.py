"""Every transition of a virtual router, as one table.

Theory of operation
===================

Routers that share a virtual router id on a link elect one master. The master sends an advert every
Advertisement_Interval; a backup that receives none for Master_Down_Interval = 3 x Advertisement_Interval + Skew_Time
takes its place. Skew_Time = (256 - Priority) / 256 s is shorter the higher the priority, so that of several backups the
best one sends first and the others receive that before their own timers run out (RFC 3768 section 6.1).

A virtual router is in one `State`. What happens to it is one `Event`, in the past tense: something has been received,
a timer has expired, links were lost. An advert that passed every check is compared with the router's own priority and
address before it gets here, so "priority 0", "lower", "tie won", "tie lost" and "higher" are different events and the
table compares nothing.

For a state and an event, the first row whose `guards` all hold (none means always) is taken: its `steps`, actions and
log lines, are carried out in their order, then the router is in the `target` state. Their order is part of the
protocol: a claim sends its advert before it does the slower work of setting addresses, and a master that gives up sends
priority 0 before it removes them. Where no row matches, the router ignores the event in that state.

There is one protocol timer. In BACKUP it is the Master_Down_Timer, in MASTER the Adver_Timer; the actions ARM_... set
it, which replaces what it was set to; it is off in INITIALIZE, and in FAULT unless links are only looked at
when it fires. A second timer repeats the burst of gratuitous ARP; REMOVE_ADDRESSES and STOP_TIMERS cancel it.

Guards are of two kinds. Those that the configuration or its profile (`vipd.config.behaviour.Behaviour`) decides are
decided once, when a router is made: `resolve` drops every row that can never match, which leaves the machines of
docs/theory.md. The rest are evaluated when the event happens.

Three states are not in the RFC. FAULT: the router cannot do its work, because its interface or a tracked one is down;
every daemon has it. GOTO_MASTER and TRANSITION: keepalived before 2.0 claims in two steps. It waits for one advert
interval or for any advert (GOTO_MASTER), sends an advert, listens for one more interval whether somebody objects
(TRANSITION), and only then sets the addresses. For that interval nobody may own them: it is part of why the article
loses four pings where a later daemon loses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, Union

from vipd.protocol.log_messages import LogEvent


class State(Enum):
    """The state of a virtual router."""

    __hash__ = object.__hash__  # members are single, and hashing their names took a third of handling an advert

    INITIALIZE = "Initialize"
    BACKUP = "Backup"
    GOTO_MASTER = "Goto_Master"
    TRANSITION = "Transition"
    MASTER = "Master"
    FAULT = "Fault"


class Event(Enum):
    """What happened to a virtual router."""

    __hash__ = object.__hash__

    STARTED = "started"
    TIMER_EXPIRED = "timer expired"
    ZERO_RECEIVED = "zero received"
    LOWER_RECEIVED = "lower received"
    TIE_WON = "tie won"
    TIE_LOST = "tie lost"
    HIGHER_RECEIVED = "higher received"
    LINKS_LOST = "links lost"
    LINKS_RESTORED = "links restored"
    ADDRESS_LOST = "address, route or rule removed by somebody else"
    SEQUENCE_SPENT = "sequence numbers spent"
    GROUP_LOST_ADDRESS = "address of another in the group removed"
    GROUP_CLAIMED = "group claimed"
    GROUP_RELEASED = "group released"
    SHUT_DOWN = "shut down"


class Guard(Enum):
    """A condition of a row. The first six are evaluated at each event, the others once, when a router is made."""

    LINKS_DOWN = "links down"
    FROM_OWNER = "sender's priority is 255"
    PREEMPT_DELAY_UNSET = "preempt delay not yet running"
    PREEMPT_DELAY_RUNNING = "preempt delay running"
    GROUP_NOT_READY = "sync group not ready"
    ANSWERED = "answered since this began to wait, or ten times in an interval"

    OWNER = "owner"
    INITIAL_MASTER = "state MASTER counts"
    NO_PREEMPT = "nopreempt"
    TWO_STEPS = "claims in two steps"
    LATE_LINKS = "reads links late"
    EAGER_LINKS = "acts when links change"
    COMPARES_AFTER_FAULT = "compares after fault"
    ELECTS_ON_LOWER = "elects on lower advert"
    DELAY_FROM_START = "preempt delay counts from start"
    DELAY_FROM_ADVERT = "preempt delay counts from advert"
    ANSWERS_LOWER = "answers lower advert"
    SILENT_ON_LOWER = "lower_prio_no_advert"
    ASSERTS = "version 3, asserts itself"
    SENDS_ON_HIGHER = "higher_prio_send_advert"
    WATCHES_ADDRESSES = "watches its addresses"
    ZERO_IS_LOWER = "takes 0 for lower"
    REARMS = "rearms at every packet"


CONFIGURED = frozenset(
    {
        Guard.OWNER,
        Guard.INITIAL_MASTER,
        Guard.NO_PREEMPT,
        Guard.DELAY_FROM_ADVERT,
        Guard.SILENT_ON_LOWER,
        Guard.ASSERTS,
        Guard.SENDS_ON_HIGHER,
    }
)
ASKED_EACH_TIME = frozenset(
    {
        Guard.LINKS_DOWN,
        Guard.FROM_OWNER,
        Guard.PREEMPT_DELAY_UNSET,
        Guard.PREEMPT_DELAY_RUNNING,
        Guard.GROUP_NOT_READY,
        Guard.ANSWERED,
    }
)


class Action(Enum):
    """What a router does in a transition, log lines apart."""

    ARM_ADVERT = "Adver_Timer := Advertisement_Interval"
    ARM_MASTER_DOWN = "Master_Down_Timer := Master_Down_Interval"
    ARM_SKEW = "Master_Down_Timer := Skew_Time"
    ADOPT_INTERVAL = "adopt the advert's interval"
    FORGET_INTERVAL = "adopt no interval but the own"
    WAIT_FOR_GROUP = "wait for the sync group; Master_Down_Timer := Master_Down_Interval"
    STOP_TIMERS = "cancel timers"
    SEND_ADVERT = "send advert"
    SEND_STOP_ON_FAULT = "send priority 0 (fault)"
    SEND_STOP = "send priority 0"
    ADD_ADDRESSES = "add addresses"
    REMOVE_ADDRESSES = "remove addresses"
    SETTLE_ADDRESSES = "remove leftover addresses"
    ANNOUNCE = "gratuitous ARP, again after the delay"
    RESOLVE_PEERS = "unicast: announce the own address, look up the peers"
    ANNOUNCE_AGAINST = "gratuitous ARP as against a lower priority"
    START_PREEMPT_DELAY = "start preempt delay"
    CANCEL_PREEMPT_DELAY = "cancel preempt delay"
    NOTE_ANSWER = "note that it answers now"
    REPORT_DOWN = "log interfaces that are down"
    REPORT_UP = "log interfaces that are up"


Step = Union[Action, LogEvent]


class Row(NamedTuple):
    """On `event` in `state`, and if all `guards` hold: carry out `steps`, then be in `target`."""

    state: State
    event: Event
    guards: tuple[Guard, ...]
    steps: tuple[Step, ...]
    target: State


_INIT, _BACKUP, _GOTO, _TRANSITION, _MASTER, _FAULT = State
_LOSES = (Event.ZERO_RECEIVED, Event.LOWER_RECEIVED, Event.TIE_WON)
_BEATS = (Event.TIE_LOST, Event.HIGHER_RECEIVED)
ADVERTS = (*_LOSES, *_BEATS)

_SET: tuple[Step, ...] = (LogEvent.SETTING_ADDRESSES, Action.ADD_ADDRESSES, Action.ANNOUNCE)
# The advert leaves before the slower work of a takeover (RFC 3768 section 6.4.2 has the same order).
_SERVE: tuple[Step, ...] = (Action.ARM_ADVERT, LogEvent.ENTERING_MASTER, *_SET)
_CLAIM: tuple[Step, ...] = (Action.SEND_ADVERT, *_SERVE)
_HALF_CLAIM: tuple[Step, ...] = (Action.SEND_ADVERT, LogEvent.TRANSITION, Action.ARM_ADVERT)
_ANSWER: tuple[Step, ...] = (
    Action.NOTE_ANSWER, LogEvent.LOWER_ANSWERED, Action.SEND_ADVERT, Action.ANNOUNCE_AGAINST, Action.ARM_ADVERT,
)  # fmt: skip
# A backup times out on the rate that the master advertises (RFC 9568 section 6.4.2); in version 2 the two are the same.
_HEED: tuple[Step, ...] = (Action.ADOPT_INTERVAL, Action.ARM_MASTER_DOWN)
_YIELD: tuple[Step, ...] = (LogEvent.ENTERING_BACKUP, *_HEED)
_WAIT: tuple[Step, ...] = (LogEvent.ENTERING_BACKUP, Action.FORGET_INTERVAL, Action.ARM_MASTER_DOWN)
_RELEASE: tuple[Step, ...] = (LogEvent.REMOVING_ADDRESSES, Action.REMOVE_ADDRESSES)

_GIVE_WAY: tuple[Step, ...] = (
    Action.SEND_STOP,
    LogEvent.ENTERING_BACKUP,
    Action.FORGET_INTERVAL,
    *_RELEASE,
    Action.ARM_SKEW,
)


def _rows(
    states: State | tuple[State, ...],
    events: Event | tuple[Event, ...],
    guards: tuple[Guard, ...],
    steps: tuple[Step, ...],
    target: State,
) -> Iterable[Row]:
    for state in states if isinstance(states, tuple) else (states,):
        for event in events if isinstance(events, tuple) else (events,):
            yield Row(state, event, guards, steps, target)


# fmt: off
TABLE: tuple[Row, ...] = tuple(row for rows in (
    # -- Initialize: RFC 3768 section 6.4.1
    _rows(_INIT, Event.STARTED, (Guard.DELAY_FROM_START, Guard.INITIAL_MASTER),
          (Action.START_PREEMPT_DELAY, Action.ARM_ADVERT), _GOTO),
    _rows(_INIT, Event.STARTED, (Guard.DELAY_FROM_START,),
          (Action.START_PREEMPT_DELAY, LogEvent.ENTERING_BACKUP_AT_START, Action.ARM_MASTER_DOWN), _BACKUP),
    _rows(_INIT, Event.STARTED, (Guard.EAGER_LINKS, Guard.LINKS_DOWN),
          (Action.SETTLE_ADDRESSES, LogEvent.ENTERING_FAULT), _FAULT),
    _rows(_INIT, Event.STARTED, (Guard.OWNER,), (Action.RESOLVE_PEERS, *_CLAIM), _MASTER),
    _rows(_INIT, Event.STARTED, (),
          (Action.SETTLE_ADDRESSES, LogEvent.ENTERING_BACKUP_AT_START, Action.RESOLVE_PEERS, Action.ARM_MASTER_DOWN),
          _BACKUP),

    # -- Backup: section 6.4.2
    _rows(_BACKUP, Event.TIMER_EXPIRED, (Guard.LATE_LINKS, Guard.LINKS_DOWN),
          (Action.REPORT_DOWN, LogEvent.NOW_IN_FAULT, Action.ARM_MASTER_DOWN), _FAULT),
    _rows(_BACKUP, Event.TIMER_EXPIRED, (Guard.GROUP_NOT_READY,), (Action.WAIT_FOR_GROUP,), _BACKUP),
    _rows(_BACKUP, (Event.TIMER_EXPIRED, Event.GROUP_CLAIMED), (Guard.TWO_STEPS,), _HALF_CLAIM, _TRANSITION),
    _rows(_BACKUP, Event.GROUP_CLAIMED, (), (Action.SEND_ADVERT, *_SERVE), _MASTER),
    _rows(_BACKUP, Event.TIMER_EXPIRED, (), (Action.SEND_ADVERT, LogEvent.TIMED_OUT, *_SERVE), _MASTER),
    _rows(_BACKUP, Event.ZERO_RECEIVED, (), (Action.ARM_SKEW,), _BACKUP),
    _rows(_BACKUP, (Event.TIE_WON, *_BEATS), (Guard.DELAY_FROM_ADVERT,),
          (Action.CANCEL_PREEMPT_DELAY, *_HEED), _BACKUP),
    # The address tie-break belongs to masters; a backup accepts an equal whatever its address (V2-FSM-18).
    _rows(_BACKUP, (Event.TIE_WON, *_BEATS), (), _HEED, _BACKUP),
    _rows(_BACKUP, Event.LOWER_RECEIVED, (Guard.NO_PREEMPT,), _HEED, _BACKUP),
    _rows(_BACKUP, Event.LOWER_RECEIVED, (Guard.DELAY_FROM_ADVERT, Guard.PREEMPT_DELAY_UNSET),
          (Action.START_PREEMPT_DELAY, *_HEED), _BACKUP),
    _rows(_BACKUP, Event.LOWER_RECEIVED, (Guard.PREEMPT_DELAY_RUNNING,), _HEED, _BACKUP),
    _rows(_BACKUP, Event.LOWER_RECEIVED, (Guard.ELECTS_ON_LOWER,),
          (LogEvent.LOWER_ELECTS, Action.SEND_ADVERT, Action.ARM_ADVERT), _GOTO),
    _rows(_BACKUP, Event.LOWER_RECEIVED, (), (LogEvent.LOWER_DISCARDED,), _BACKUP),
    _rows(_BACKUP, Event.SHUT_DOWN, (), (Action.STOP_TIMERS,), _INIT),

    # -- Goto_Master and Transition: keepalived before 2.0
    _rows(_GOTO, Event.TIMER_EXPIRED, (Guard.LINKS_DOWN,),
          (Action.REPORT_DOWN, LogEvent.NOW_IN_FAULT, Action.ARM_MASTER_DOWN), _FAULT),
    _rows(_GOTO, (Event.TIMER_EXPIRED, *ADVERTS), (), _HALF_CLAIM, _TRANSITION),
    _rows(_GOTO, Event.SHUT_DOWN, (), (Action.STOP_TIMERS,), _INIT),
    _rows(_TRANSITION, (Event.TIMER_EXPIRED, *ADVERTS), (Guard.LINKS_DOWN,),
          (Action.REPORT_DOWN, LogEvent.ENTERING_FAULT, LogEvent.NOW_IN_FAULT, Action.ARM_MASTER_DOWN), _FAULT),
    _rows(_TRANSITION, Event.TIMER_EXPIRED, (),
          (LogEvent.ENTERING_MASTER, *_SET, Action.SEND_ADVERT, Action.ARM_ADVERT), _MASTER),
    _rows(_TRANSITION, (Event.ZERO_RECEIVED, Event.LOWER_RECEIVED), (Guard.ANSWERED,),
          (Action.ARM_ADVERT,), _TRANSITION),
    _rows(_TRANSITION, (Event.ZERO_RECEIVED, Event.LOWER_RECEIVED), (),
          (Action.NOTE_ANSWER, LogEvent.LOWER_ANSWERED, Action.SEND_ADVERT, Action.ARM_ADVERT), _TRANSITION),
    _rows(_TRANSITION, Event.TIE_WON, (), (Action.ARM_ADVERT,), _TRANSITION),
    _rows(_TRANSITION, Event.TIE_LOST, (), (LogEvent.TIE_LOST, *_YIELD), _BACKUP),
    _rows(_TRANSITION, Event.HIGHER_RECEIVED, (), (LogEvent.HIGHER_RECEIVED, *_YIELD), _BACKUP),
    _rows((_GOTO, _TRANSITION), Event.GROUP_RELEASED, (), _WAIT, _BACKUP),
    _rows(_TRANSITION, Event.SHUT_DOWN, (), (Action.STOP_TIMERS,), _INIT),

    # -- Master: section 6.4.3
    _rows(_MASTER, (Event.TIMER_EXPIRED, *ADVERTS), (Guard.LATE_LINKS, Guard.LINKS_DOWN),
          (Action.REPORT_DOWN, LogEvent.ENTERING_FAULT, *_RELEASE, LogEvent.NOW_IN_FAULT,
           Action.ARM_MASTER_DOWN), _FAULT),
    _rows(_MASTER, Event.TIMER_EXPIRED, (), (Action.SEND_ADVERT, Action.ARM_ADVERT), _MASTER),
    # What waited in the queue while the daemon did not run is read at one time, and gets one answer; a flood gets few.
    _rows(_MASTER, _LOSES, (Guard.ANSWERED,), (), _MASTER),
    _rows(_MASTER, Event.ZERO_RECEIVED, (Guard.ZERO_IS_LOWER,), _ANSWER, _MASTER),
    _rows(_MASTER, Event.TIE_WON, (Guard.REARMS,), (Action.ARM_ADVERT,), _MASTER),
    _rows(_MASTER, Event.ZERO_RECEIVED, (),
          (Action.NOTE_ANSWER, LogEvent.ZERO_RECEIVED, Action.SEND_ADVERT, Action.ARM_ADVERT), _MASTER),
    _rows(_MASTER, (Event.LOWER_RECEIVED, Event.TIE_WON), (Guard.ANSWERS_LOWER, Guard.SILENT_ON_LOWER),
          (Action.NOTE_ANSWER, LogEvent.LOWER_ANSWERED, Action.ANNOUNCE_AGAINST), _MASTER),
    _rows(_MASTER, (Event.LOWER_RECEIVED, Event.TIE_WON), (Guard.ANSWERS_LOWER,), _ANSWER, _MASTER),
    # RFC 9568 section 6.4.3: assert the Active state at once; the Adver_Timer goes on.
    _rows(_MASTER, (Event.LOWER_RECEIVED, Event.TIE_WON), (Guard.ASSERTS,),
          (Action.NOTE_ANSWER, LogEvent.LOWER_ANSWERED, Action.SEND_ADVERT), _MASTER),
    _rows(_MASTER, Event.TIE_LOST, (Guard.SENDS_ON_HIGHER,),
          (LogEvent.TIE_LOST, Action.SEND_ADVERT, *_YIELD, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.HIGHER_RECEIVED, (Guard.SENDS_ON_HIGHER,),
          (LogEvent.HIGHER_RECEIVED, Action.SEND_ADVERT, *_YIELD, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.TIE_LOST, (), (LogEvent.TIE_LOST, *_YIELD, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.HIGHER_RECEIVED, (), (LogEvent.HIGHER_RECEIVED, *_YIELD, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.ADDRESS_LOST, (Guard.WATCHES_ADDRESSES,), (LogEvent.ADDRESS_LOST, *_GIVE_WAY), _BACKUP),
    # All of them give way for their skew times; one that waited for longer would keep the others waiting.
    _rows(_MASTER, Event.GROUP_LOST_ADDRESS, (Guard.WATCHES_ADDRESSES,), _GIVE_WAY, _BACKUP),
    _rows(_MASTER, Event.SEQUENCE_SPENT, (), (LogEvent.SEQUENCE_SPENT, *_WAIT, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.GROUP_RELEASED, (), (*_WAIT, *_RELEASE), _BACKUP),
    _rows(_MASTER, Event.SHUT_DOWN, (), (Action.SEND_STOP, *_RELEASE, Action.STOP_TIMERS), _INIT),

    # -- Fault, links looked at as they change
    _rows(_BACKUP, Event.LINKS_LOST, (Guard.EAGER_LINKS,), (LogEvent.ENTERING_FAULT, Action.STOP_TIMERS), _FAULT),
    _rows(_MASTER, Event.LINKS_LOST, (Guard.EAGER_LINKS,),
          (LogEvent.ENTERING_FAULT, Action.SEND_STOP_ON_FAULT, *_RELEASE, Action.STOP_TIMERS), _FAULT),
    _rows(_FAULT, Event.LINKS_RESTORED, (Guard.EAGER_LINKS, Guard.OWNER), (Action.RESOLVE_PEERS, *_CLAIM), _MASTER),
    # A peer that has long tried in vain to find this router asks again once a second; its adverts wait for that.
    _rows(_FAULT, Event.LINKS_RESTORED, (Guard.EAGER_LINKS,), (Action.RESOLVE_PEERS, *_WAIT), _BACKUP),
    _rows(_FAULT, Event.SHUT_DOWN, (), (Action.STOP_TIMERS,), _INIT),

    # -- Fault, links looked at when a timer fires or an advert is read
    _rows(_FAULT, (Event.TIMER_EXPIRED, *ADVERTS), (Guard.LATE_LINKS, Guard.LINKS_DOWN),
          (Action.ARM_MASTER_DOWN,), _FAULT),
    _rows(_FAULT, ADVERTS, (Guard.COMPARES_AFTER_FAULT, Guard.NO_PREEMPT), _YIELD, _BACKUP),
    _rows(_FAULT, (Event.ZERO_RECEIVED, Event.LOWER_RECEIVED), (Guard.COMPARES_AFTER_FAULT,),
          (LogEvent.HIGHER_THAN_RECEIVED, *_HALF_CLAIM), _TRANSITION),
    # 1.2.2 claims against an owner, too: it asks "greater than, or from 255".
    _rows(_FAULT, (Event.TIE_LOST, Event.HIGHER_RECEIVED), (Guard.COMPARES_AFTER_FAULT, Guard.FROM_OWNER),
          (LogEvent.HIGHER_THAN_RECEIVED, *_HALF_CLAIM), _TRANSITION),
    _rows(_FAULT, (Event.TIE_WON, *_BEATS), (Guard.COMPARES_AFTER_FAULT,), _YIELD, _BACKUP),
    _rows(_FAULT, Event.TIMER_EXPIRED, (Guard.LATE_LINKS, Guard.INITIAL_MASTER),
          (Action.REPORT_UP, *_HALF_CLAIM), _TRANSITION),
    _rows(_FAULT, Event.TIMER_EXPIRED, (Guard.LATE_LINKS,), (Action.REPORT_UP, Action.ARM_MASTER_DOWN), _BACKUP),
) for row in rows)
# fmt: on

Resolved = dict[tuple[State, Event], tuple[Row, ...]]


def matching(settled: Mapping[Guard, bool], asked: frozenset[Guard] = ASKED_EACH_TIME) -> Iterator[Row]:
    """The rows that can match where `settled` guards are known; those left to evaluate stay in `guards`."""
    decided = set()
    for row in TABLE:
        key = (row.state, row.event)
        if key not in decided and all(settled.get(condition, True) for condition in row.guards):
            left = tuple(condition for condition in row.guards if condition in asked)
            if not left:
                decided.add(key)  # a row without conditions hides those after it
            yield row._replace(guards=left)


def resolve(settled: Mapping[Guard, bool]) -> Resolved:
    """The machine of one router: for a state and an event, the rows to try in their order."""
    machine: Resolved = {}
    for row in matching(settled):
        key = (row.state, row.event)
        machine[key] = (*machine.get(key, ()), row)
    return machine
