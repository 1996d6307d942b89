"""Compiles the table for one router: guards that its configuration and profile decide are evaluated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from vipd.config.behaviour import Behaviour
from vipd.config.model import RouterConfig
from vipd.protocol.actions import RouterActions, implementation
from vipd.protocol.packet import PRIORITY_OWNER
from vipd.protocol.table import ASKED_EACH_TIME, Event, Guard, State, resolve

# The conditions that are left to ask, what to do if they hold, and the state to be in then.
Transition = tuple[tuple[Guard, ...], tuple[Callable[[RouterActions], None], ...], State]
Machine = Mapping[tuple[State, Event], tuple[Transition, ...]]


def compile_table(config: RouterConfig, behaviour: Behaviour) -> Machine:
    """Compile the transitions that this router can take; routers of one kind share one machine."""
    return _compiled(frozenset(condition for condition, holds in settled_guards(config, behaviour).items() if holds))


def settled_guards(config: RouterConfig, behaviour: Behaviour) -> dict[Guard, bool]:
    """Evaluate the guards that configuration and profile decide for good."""
    owner = config.priority == PRIORITY_OWNER
    return {
        Guard.OWNER: owner,
        Guard.INITIAL_MASTER: behaviour.honours_initial_state and (config.initial_master or owner),
        Guard.NO_PREEMPT: not config.preempt and not owner,
        Guard.TWO_STEPS: behaviour.claims_in_two_steps,
        Guard.LATE_LINKS: behaviour.reads_links_late,
        Guard.EAGER_LINKS: not behaviour.reads_links_late,
        Guard.COMPARES_AFTER_FAULT: behaviour.compares_priority_after_fault,
        Guard.ELECTS_ON_LOWER: behaviour.elects_on_lower_advert,
        Guard.DELAY_FROM_START: behaviour.delays_preempt_from_start,
        Guard.DELAY_FROM_ADVERT: config.preempt_delay_ns > 0 and not behaviour.delays_preempt_from_start,
        Guard.ANSWERS_LOWER: behaviour.answers_lower_advert,
        Guard.SILENT_ON_LOWER: config.lower_prio_no_advert or False,
        Guard.ASSERTS: behaviour.asserts_in_version_3 and config.wire_version == 3,
        Guard.SENDS_ON_HIGHER: config.higher_prio_send_advert,
        Guard.WATCHES_ADDRESSES: behaviour.watches_addresses,
        Guard.ZERO_IS_LOWER: behaviour.takes_zero_for_lower,
        Guard.REARMS: behaviour.rearms_at_every_packet,
    }


@cache
def _compiled(holding: frozenset[Guard]) -> Machine:
    """Compile the machine of all routers for which exactly these guards hold."""
    rows = resolve({condition: condition in holding for condition in Guard if condition not in ASKED_EACH_TIME})
    return MappingProxyType(
        {
            key: tuple((row.guards, tuple(map(implementation, row.steps)), row.target) for row in found)
            for key, found in rows.items()
        }
    )
