"""Draw the state machines of the profiles from the table, as Markdown; docs/theory.md has them."""

from __future__ import annotations

from collections.abc import Iterator

from vipd.config.behaviour import PRESETS, SECOND_NS, Behaviour
from vipd.config.model import RouterConfig
from vipd.protocol.compile import settled_guards
from vipd.protocol.table import ADVERTS, ASKED_EACH_TIME, CONFIGURED, Action, Event, Row, State, matching


def rows(behaviour: Behaviour) -> list[Row]:
    """The rows that some router of this profile can take, in the order of the table."""
    any_router = RouterConfig(
        "",
        "",
        1,
        (),
        version=3,
        initial_master=True,
        preempt=False,
        preempt_delay_ns=SECOND_NS,
        lower_prio_no_advert=True,
        higher_prio_send_advert=True,
    )
    possible = settled_guards(any_router, behaviour)
    for condition, holds in settled_guards(any_router._replace(priority=255), behaviour).items():
        possible[condition] |= holds
    matched = list(matching(possible, ASKED_EACH_TIME | CONFIGURED))
    reached = {State.INITIALIZE}
    while True:
        taken = [row for row in matched if row.state in reached]
        more = reached | {row.target for row in taken}
        if more == reached:
            return taken
        reached = more


def mermaid(behaviour: Behaviour) -> Iterator[str]:
    """A state diagram; what leads back to the same state is left to the list of transitions."""
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.INITIALIZE.value}"
    labels: dict[tuple[State, State], list[str]] = {}
    for row, events in _together(rows(behaviour)):
        if row.target is not row.state:
            conditions = "".join(f" [{condition.value}]" for condition in row.guards)
            labels.setdefault((row.state, row.target), []).append(_named(events) + conditions)
    for (before, after), texts in labels.items():
        yield f"    {before.value} --> {after.value} : {'<br/>'.join(dict.fromkeys(texts))}"
    yield "```"


def transitions(behaviour: Behaviour) -> Iterator[str]:
    """Every transition as a row of a Markdown table; log lines are left out."""
    yield "| in | on | if | do | then be in |"
    yield "|---|---|---|---|---|"
    for row, events in _together(rows(behaviour)):
        conditions = " and ".join(condition.value for condition in row.guards) or "-"
        steps = "; ".join(step.value for step in row.steps if isinstance(step, Action)) or "-"
        yield f"| {row.state.value} | {_named(events)} | {conditions} | {steps} | {row.target.value} |"


def _named(events: list[Event]) -> str:
    every = set(events) >= set(ADVERTS)
    names = [event.value for event in events if not (every and event in ADVERTS)]
    return ", ".join([*names, *(["any advert"] if every else [])])


def _together(found: list[Row]) -> list[tuple[Row, list[Event]]]:
    """Rows that differ in nothing but their event, as one."""
    together: dict[Row, list[Event]] = {}
    for row in found:
        together.setdefault(row._replace(event=Event.STARTED), []).append(row.event)
    return list(together.items())


def state_machines() -> str:
    """Every profile's state machine: its diagram, then its transitions."""
    lines: list[str] = []
    for behaviour in PRESETS.values():
        lines += ["", f"### {behaviour.name}", "", *mermaid(behaviour), "", *transitions(behaviour)]
    return "\n".join(lines)
