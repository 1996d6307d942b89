"""What a scenario will do, told step by step before anything is run, with the times that the timing model gives.

Only what the model knows is foretold: who takes over, when, and what the client misses. Where a fault has no row in the
model, that is said, with the timer that it races against.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from viplab.analysis.timing_model import advert_ns, delayed_ns, down_interval_ns, skew_ns, window_ns
from viplab.faults import Effect, FaultKind, FileTarget, Heard, Part, known
from viplab.scenario.model import Scenario
from viplab.scenario.page import expected
from viplab.scenario.step import Step, Wait
from viplab.subjects.assignment import Assignment
from viplab.subjects.family import NONE, Terms
from viplab.types import HostName, NodeTimers

_NS = 1_000_000_000
# From a fault after which no advert is heard to the first one of the other host.
_SILENCE = Terms(downs=1, less_x=True)
# The cards of a host, by the network that each is on.
_CARDS = {"interconnect": "eth0", "public": "eth1"}


def explanation(scenario: Scenario, assignment: Assignment) -> list[str]:
    """The lines that tell a scenario with what runs on its hosts.

    Raises:
        NotSupportedError: a host is left without a daemon, or they cannot hear each other.
    """
    pair = _Pair(scenario, assignment)
    return [
        f"{scenario.scenario}: {scenario.title}",
        "",
        *scenario.story.strip().splitlines(),
        "",
        *pair.described(),
        *(["", "Set-up"] if scenario.setup else []),
        *pair.told(scenario.setup),
        "",
        "What is measured",
        *pair.told(scenario.steps),
        "",
        f"Expected: {expected(scenario.expect)}.",
    ]


def foretold(
    scenario: Scenario, configured: Scenario, assignment: Assignment
) -> list[tuple[HostName | None, HostName | None]]:
    """Who is master after each step, the set-up's first: as a scenario is written, and as it is configured otherwise.

    Of a wait, who is so before it. Only where the scenario itself does not foretell what it waits for is it believed.
    """
    own, other = _Pair(scenario, assignment), _Pair(configured, assignment)
    found = []
    for step in (*scenario.setup, *scenario.steps):
        before = own.master
        for _ in own._after(step):
            pass
        if isinstance(step.argument, Wait):
            awaited = step.argument.master or step.argument.announced
            if awaited != before:
                other.master = awaited or other.master
                other.fit.update(filter(None, [awaited]))
            found.append((before, other.master))
            continue
        for _ in other._after(step):
            pass
        found.append((own.master, other.master))
    return found


class _Pair:
    """The hosts as the steps leave them, as far as one can tell beforehand."""

    def __init__(self, scenario: Scenario, assignment: Assignment) -> None:
        self.scenario, self.assignment = scenario, assignment
        self.advert_card = assignment.advert_interface(scenario)
        self.families = {host: assignment.on(host).family for host in scenario.daemons}
        self.held_back_s = max((one.timing.held_back_s for one in self.families.values() if one.timing), default=0.0)
        self.protocol = assignment.protocol(scenario)
        self.advertises = self.protocol != "none"
        self.timers = assignment.timers(scenario)
        self.fit: set[HostName] = set()
        self.master: HostName | None = None
        self.lasting: list[tuple[FaultKind, HostName | None]] = []
        """What nobody has healed yet, and on which host; one that ends by itself is not waited for."""

    def described(self) -> Iterator[str]:
        """The configuration, and each host's timers."""
        vrrp = self.scenario.vrrp
        tracked = f"tracked: {', '.join(vrrp.track_interface)}" if vrrp.track_interface else "no interface is tracked"
        yield f"{self.assignment.name}, to behave as {self.assignment.profile}; {vrrp.vip}; {tracked}."
        for host, node in self.timers.items():
            if not self.advertises:
                yield f"  {host}: {node.state}, priority {node.priority}; it talks to the others by {self.advert_card}"
                continue
            yield (
                f"  {host}: {node.state}, priority {node.priority}, an advert each {_s(advert_ns(node))} by "
                f"{self.advert_card}; Skew_Time {_s(skew_ns(node, self.protocol))}, "
                f"Master_Down_Interval {_s(self._down_ns(node))}"
            )

    def told(self, steps: Sequence[Step]) -> Iterator[str]:
        """Each step with its number, and beneath it what comes of it."""
        for number, step in enumerate(steps, 1):
            yield f"{number:3}. {step}"
            yield from (f"       {line}" for line in self._after(step))

    def _after(self, step: Step) -> Iterator[str]:
        argument = step.argument
        if isinstance(argument, Wait):
            yield from self._waited(argument)
        elif step.name == "start":
            yield from self._returned(argument, "starts")
        elif step.name == "observe":
            yield f"Nothing is done for {argument:g} s."
        elif step.name == "heal":
            for healed, of in self.lasting:
                if healed.name == argument:
                    said = healed.said_healed(of)
                    yield f"{said[0].upper()}{said[1:]}."
            self.lasting = [one for one in self.lasting if one[0].name != argument]
        elif kind := known().get(step.name):
            yield from self._struck(kind, argument)

    def _waited(self, wait: Wait) -> Iterator[str]:
        if wait.pings is not None:
            yield f"About {wait.pings} s, in which the client pings."
            return
        host = wait.master or wait.announced
        if host is not None and host != self.master:
            yield f"So that {host} has to be master within {wait.within:g} s."
            self.master = host
            self.fit.add(host)

    def _struck(self, kind: FaultKind, argument: object) -> Iterator[str]:
        host: HostName | None = getattr(argument, "host", None)
        duration_ms: int | None = getattr(argument, "duration_ms", None)
        said = kind.said(host)
        yield f"{said[0].upper()}{said[1:]}. {kind.sentence}"
        effect = self._effect(kind, argument)
        if kind.returns and host is not None:
            yield from self._returned(host, "starts" if kind.begins_daemon else "is back")
        elif effect is Effect.CLIENT_CUT and duration_ms is not None:
            yield f"The client misses exactly {duration_ms / 1000:g} s, and the hosts notice nothing."
        elif effect is not None and host is not None:
            yield from self._lost(host, effect, _place(argument), member=self._ends_member(kind, argument))
        elif self._hides(kind) and self._card(argument) == self.advert_card:
            yield from self._unheard(kind.heard, host, duration_ms, _place(argument))
        else:
            if isinstance(argument, FileTarget):
                yield from self._weighed(argument)
            yield from self._unpredicted()
        if kind.heals and duration_ms is None:
            self.lasting.append((kind, host))

    def _effect(self, kind: FaultKind, argument: object) -> Effect | None:
        """What becomes of the host, where a model says what comes of that."""
        if kind.ends(Part.LINK):
            card = self._card(argument)
            if card == self.advert_card or self._ends_member(kind, argument):
                return Effect.HOST_LOST
            return kind.effect if card in self.scenario.vrrp.track_interface else None
        return kind.effect

    def _ends_member(self, kind: FaultKind, argument: object) -> bool:
        """Whether it ends the adverts of another member of the sync group, and not this virtual router's own."""
        vrrp, card = self.scenario.vrrp, self._card(argument)
        theirs = {vrrp.vrrp_instance[name].interface for name in vrrp.members} - {self.advert_card}
        return kind.ends(Part.LINK) and card in theirs

    def _card(self, argument: object) -> str:
        """The card of a host that a fault is about; that of the adverts if it does not say."""
        network = _CARDS.get(getattr(argument, "network", ""), self.advert_card)
        return getattr(argument, "interface", network)

    def _lost(self, host: HostName, effect: Effect, place: float | None, *, member: bool) -> Iterator[str]:
        self.fit.discard(host)
        if host != self.master:
            yield f"{self.master or 'Nobody'} is master and goes on; the client misses nothing."
            return
        self.master = taker = self._next()
        if taker is None:
            yield "Nobody is left to take over: the client is cut off."
            return
        leaves, takes = self.families[host], self.families[taker]
        if effect is Effect.GIVES_UP and leaves.timing is not None and not leaves.timing.releases:
            effect = Effect.HOST_LOST
        timing, node = takes.timing, self.timers[taker]
        outage = None if timing is None else timing.member_lost if member else timing.outage.get(effect)
        if leaves.timing is None or timing is None or outage is None:
            yield f"{taker} takes over; {takes.name} after {leaves.name} has no timing model for when."
            return
        missed = self._missed(effect, outage, node, place) + (f" ({effect.value})" if outage == NONE else "")
        if not self.advertises:
            yield f"{taker} takes over."
            yield missed
            return
        if member:
            yield f"{host} gives up its whole sync group; {taker} takes over when it misses the adverts that ended."
            found = replace(outage, adverts=outage.adverts - timing.announce_adverts)
        elif outage.skews:
            yield f"The master says that it gives up, so {taker} waits no longer than its Skew_Time."
            found = Terms(skews=1)
        else:
            yield f"{taker} waits for its Master_Down_Interval, counted from the last advert before."
            found = _SILENCE
        yield f"{taker} is master {self._span(found, node, place)} after the fault."
        yield from self._announced(taker)
        yield f"The client is answered again {self._span(outage, node, place)} after the fault." if member else missed

    def _announced(self, host: HostName) -> Iterator[str]:
        """How long the first announcement comes after the first advert, where that is not at once."""
        timing = self.families[host].timing
        if timing is not None and timing.announce_adverts:
            wait_ns = timing.announce_adverts * advert_ns(self.timers[host])
            yield f"It takes and announces the VIP {_s(wait_ns)} after its first advert."

    def _returned(self, host: HostName, how: str) -> Iterator[str]:
        node, before, timing = self.timers[host], self.master, self.families[host].timing
        self.fit.add(host)
        if before is None and not self.advertises:
            self.master = host
            yield f"Nobody is master: {host} is, once it is sure that it is alone."
        elif before is None:
            self.master = host
            yield f"Nobody is master: {host} is, after {_s(self._down_ns(node))} at most, unless it hears another."
        elif before == host:
            yield f"{host} is master already."
        elif not self.scenario.preempts(host):
            yield f"{host} {how}, and {before} stays master: nopreempt."
        elif self._elects(host, before, how):
            yield f"{host} has state MASTER, and calls for an election against {before} at a tie: open."
        elif node.priority <= self.timers[before].priority:
            yield f"{host} {how} with a priority that is not greater than that of {before}, which stays master."
        elif timing is None:
            self.master = host
            yield f"{host} outranks {before} and takes over; {self.families[host].name} has no timing model for when."
        elif not self.advertises:
            self.master = host
            yield f"{host} outranks {before} and takes over."
            yield self._missed(Effect.RETURNS, timing.missed(Effect.RETURNS, node.state) or NONE, node, None)
        else:
            self.master = host
            yield f"{host} outranks {before}: master after {self._returns_after(timing.return_detection, node)}."
            yield from self._announced(host)
            yield self._missed(Effect.RETURNS, timing.missed(Effect.RETURNS, node.state) or NONE, node, None)

    def _returns_after(self, terms: Terms, node: NodeTimers) -> str:
        if not node.preempt_delay_s:
            return self._span(terms, node, None)
        low_ns, high_ns = delayed_ns(window_ns(terms, node, None, self.protocol), node)
        return f"{low_ns / _NS:.3f} to {_s(high_ns)}, of which preempt_delay is {node.preempt_delay_s:g} s"

    def _elects(self, host: HostName, before: HostName, how: str) -> bool:
        node = self.timers[host]
        tie = node.priority == self.timers[before].priority
        return how == "starts" and tie and node.state == "MASTER" and self.families[host].elects_at_start

    def _hides(self, kind: FaultKind) -> bool:
        """Whether one knows which adverts are no longer heard after it."""
        passes = kind.unicast_passes and self.scenario.vrrp.unicast
        return kind.heard not in (Heard.ALL, Heard.UNKNOWN) and not passes

    def _unheard(
        self, heard: Heard, host: HostName | None, duration_ms: int | None, place: float | None
    ) -> Iterator[str]:
        """What comes of adverts that are not heard: the timer runs from the last one before, and any one stops it."""
        # A backup that is struck misses the master's itself; of a master that is, or of a network, the others do.
        taker = self._next() if host in (None, self.master) else host
        if taker is None or taker not in self.fit or self.master is None or not self.advertises:
            yield from self._unpredicted()
            return
        node, before = self.timers[taker], self.master
        if heard.between(host, before, taker):
            told = f"{host} is not master and sends no adverts: nobody misses any"
            yield f"{told}." if host != before else f"{host} is master, and no other sends adverts: it misses none."
            return
        # The last advert that would still come in time is so many intervals after the last one that was heard.
        last_ns = (self._down_ns(node) - 1) // advert_ns(node) * advert_ns(node)
        least_x_ns, most_x_ns = (0, advert_ns(node)) if place is None else (round(place * advert_ns(node)),) * 2
        claims = f"{taker} hears no advert of {before}, and claims {self._span(_SILENCE, node, place)} after"
        if duration_ms is None:
            yield f"{claims}; {self._beside(heard, host, taker, before, 'it is healed')}."
            return
        lasts_ns, lasts = duration_ms * 1_000_000, f"{duration_ms / 1000:g} s"
        if lasts_ns <= last_ns - most_x_ns:
            within = _s(self._down_ns(node))
            yield f"That is short enough for {taker} to hear an advert within {within}: nobody takes over."
        elif lasts_ns <= last_ns - least_x_ns:
            yield (
                f"A race: {taker} claims if it begins more than {_s(last_ns - lasts_ns)} after an advert, so that "
                f"none is heard within {_s(self._down_ns(node))}."
            )
        else:
            until = f"it ends after {lasts} and they hear again"
            yield f"{claims}; {self._beside(heard, host, taker, before, until)}."

    def _beside(self, heard: Heard, host: HostName | None, taker: HostName, before: HostName, until: str) -> str:
        """What a master does beside which a backup claims the address: it gives way to what it hears to outrank it."""
        struck = [(heard, host), *((kind.heard, of) for kind, of in self.lasting)]
        hears = all(one.between(where, taker, before) for one, where in struck)
        # At a tie the greater address counts, and hosts have theirs in the order of their letters.
        if hears and (self.timers[taker].priority, taker) > (self.timers[before].priority, before):
            self.master = taker
            return f"{before} hears that, is outranked and gives the address up"
        return f"{before} goes on: two owners until {until}"

    def _weighed(self, written: FileTarget) -> Iterator[str]:
        """What priority a tracked file, or a script that looks at it, gives its host."""
        vrrp, own = self.scenario.vrrp, self.timers[written.host].priority
        others = ", ".join(f"{host} has {node.priority}" for host, node in self.timers.items() if host != written.host)
        for line in vrrp.track_script:
            name = line.split()[0]
            script = vrrp.vrrp_script[name]
            if written.path not in script.script.split():
                continue
            weight = _weight(line, script.weight or 0)
            low, high = (_priority(own + step) for step in sorted((0, weight)))
            given = (
                f"has priority {low} while it fails and {high} while not" if weight else "is in FAULT while it fails"
            )
            yield f"{name} looks at it each {script.interval} s; {written.host} {given}; {others}."
        for line in vrrp.track_file:
            name = line.split()[0]
            file = vrrp.vrrp_track_file[name]
            if file.file == written.path and re.fullmatch(r"-?\d{1,9}", written.text):
                gives = _priority(own + int(written.text) * _weight(line, 1 if file.weight is None else file.weight))
                yield f"{name} gives {written.host} priority {gives}; {others}."

    def _unpredicted(self) -> Iterator[str]:
        taker = self._next() if self.advertises else None
        timer = f"; {taker} claims {_s(self._down_ns(self.timers[taker]))} after the last advert heard" if taker else ""
        yield f"What comes of it is measured, and not predicted{timer}."

    def _missed(self, effect: Effect, outage: Terms, node: NodeTimers, place: float | None) -> str:
        told = all(kind.client_told for kind, _ in self.lasting)
        if effect is not Effect.DAEMON_LOST and not told and self.assignment.virtual_mac(self.scenario) is None:
            return "The client is not told, and its own neighbour entry decides how long it waits"
        if outage == NONE:
            return "The client misses nothing"
        return f"The client misses {self._span(outage, node, place)}"

    def _next(self) -> HostName | None:
        """The backup whose timer runs out first."""
        others = (host for host in self.fit if host != self.master)
        return min(others, key=lambda host: (self._down_ns(self.timers[host]), host), default=None)

    def _down_ns(self, node: NodeTimers) -> int:
        return down_interval_ns(node, self.protocol)

    def _span(self, terms: Terms, node: NodeTimers, place: float | None) -> str:
        at_ns = None if place is None else round(place * advert_ns(node))
        low_ns, high_ns = window_ns(terms, node, None if at_ns is None else (at_ns, at_ns), self.protocol)
        high_ns += round(self.held_back_s * _NS) if terms != NONE else 0
        return _s(low_ns) if low_ns == high_ns else f"{low_ns / _NS:.3f} to {_s(high_ns)}"


def _weight(line: str, default: int) -> int:
    """The weight that a line of `track_script` or `track_file` has, or that of what it tracks."""
    words = line.split()
    return int(words[words.index("weight") + 1]) if "weight" in words[:-1] else default


def _priority(sum_of_weights: int) -> int:
    return min(254, max(1, sum_of_weights))


def _place(argument: object) -> float | None:
    place = getattr(argument, "place", None)
    return place if isinstance(place, float) else None


def _s(ns: int) -> str:
    return f"{ns / _NS:.3f} s"
