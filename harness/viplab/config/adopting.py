"""Scenarios with the user's own configuration: the virtual router that it asks for, and what is then to be expected."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from vipd.config.model import RouterConfig
from viplab.config.given import Given, given
from viplab.config.renaming import Shared, instances, renaming, value, virtual_lines
from viplab.config.rewriting import Rewritten, rewritten
from viplab.config.router import Asked, asked
from viplab.errors import InputError
from viplab.faults import Need
from viplab.keepalived_files import Place
from viplab.report.explain import foretold
from viplab.scenario.load import parse_scenario
from viplab.scenario.model import Scenario
from viplab.scenario.written import yaml_text
from viplab.subjects.registry import assignment
from viplab.types import HostName
from viplab.untrusted_data import yaml_value

_NS = 1_000_000_000
_LIMITS = ("ping_outage_s", "service_outage_s", "two_owners_s")
_USUAL_GARP_DELAY_S = 5
_LONGEST_WAIT_S = 600


@dataclass(frozen=True)
class Own:
    """The user's configuration, as the bench runs it."""

    asked: Asked
    changed: Sequence[Rewritten]
    notes: Sequence[str]
    """What else is to be said of it, a line each."""

    def into(self, text: str, scenario: Scenario) -> tuple[str, Scenario, list[str]]:
        """A scenario with this configuration, as a file and as what that says, and what is judged otherwise in it.

        Raises:
            InputError: the configuration is none that the scenario can be done with.
        """
        data = yaml_value(text)
        self._check(scenario)
        data["vrrp"] = self.asked.vrrp
        for host in scenario.daemons:
            data["hosts"][host] |= self.asked.node(host)
        if why := self.asked.unpredicted:
            data["unpredicted"] = why
        said = [*self._waits(data, scenario), *self._limits(data, scenario), *self._owner(data, scenario)]
        written = yaml_text(data)
        return written, parse_scenario(written, f"{scenario.scenario} with --config"), said

    def check_scripts(self, *, here: bool) -> list[str]:
        """What is to be said of its scripts to whoever has hosts with this machine's files (`here`), or with their own.

        Raises:
            InputError: one cannot be run here; a line for each, with file and line.
        """
        if not here:
            said = "is run in the guests, whose image has to have it"
            return [f"{place}: script {program} {said}" for place, program in self._scripts]
        missing = [(place, program) for place, program in self._scripts if shutil.which(program) is None]
        if missing:
            said = "is not here, or no program; put it there, or take it out"
            raise InputError("\n".join(f"{place}: script {program} {said}" for place, program in missing))
        return []

    @property
    def _scripts(self) -> list[tuple[Place, str]]:
        return [script for given in self.asked.given.values() for script in given.scripts]

    def does_not_suit(self, scenario: Scenario) -> str | None:
        """Why a scenario is not done with it, None where it is."""
        if missing := sorted(scenario.daemons.keys() - self.asked.routers.keys()):
            return f"--config names no file for host {missing[0]}"
        if scenario.vrrp.vrrp_script or scenario.vrrp.vrrp_track_file:
            return "it is about a script or a file that its own configuration tracks"
        if scenario.vrrp.vrrp_instance:
            return "it is about further instances of its own configuration"
        if any(Need.IPV6 in kind.needs for kind in scenario.faults):
            return "it is about IPv6, and the client asks an address of IPv4"
        return None

    def _check(self, scenario: Scenario) -> None:
        ranked = sorted(scenario.daemons, key=lambda host: -(scenario.daemons[host].priority or 0))
        for better, worse in pairwise(ranked):
            one, other = self.asked.routers[better], self.asked.routers[worse]
            if one.priority < other.priority:
                files = [self.asked.given[host].file for host in (better, worse)]
                raise InputError(
                    f"{scenario.scenario}: {better} is to be master, and {files[0]} gives it priority {one.priority} "
                    f"where {files[1]} has {other.priority}; name them the other way round: "
                    f"--config {better}={files[1]},{worse}={files[0]}"
                )

    def _slower_s(self, scenario: Scenario) -> float:
        """By how much later anything may come than with the scenario's own timers."""
        router = self.asked.first
        adverts = max(0.0, router.advert_int_ns / _NS - scenario.vrrp.advert_int)
        started = max(config.globals.startup_delay_ns for config in self.asked.configs.values())
        announced = max((one.garp_delay_ns or 0) / _NS for one in self.asked.routers.values())
        delayed_s = (router.preempt_delay_ns + started) / _NS + max(0.0, announced - _USUAL_GARP_DELAY_S)
        return 5 * adverts + delayed_s

    def _waits(self, data: dict[str, Any], scenario: Scenario) -> Iterator[str]:
        more_s = self._slower_s(scenario)
        if not more_s:
            return
        for phase in ("setup", "steps"):
            for step in data.get(phase) or []:
                if "wait" in step and "pings" not in step["wait"]:
                    step["wait"]["within"] = min(_LONGEST_WAIT_S, step["wait"].get("within", 20) + more_s)
                elif "observe" in step:
                    step["observe"] = min(_LONGEST_WAIT_S, step["observe"] + more_s)
        yield f"its timers are slower: each wait may take {more_s:g} s more"

    def _limits(self, data: dict[str, Any], scenario: Scenario) -> Iterator[str]:
        """Limits were written for the scenario's timers, and hold for others only where these are the same."""
        router, expect = self.asked.first, data["expect"]
        limits = [name for name in _LIMITS if name in expect]
        if (router.version, router.advert_int_ns / _NS) != (scenario.vrrp.version, scenario.vrrp.advert_int):
            for name in limits:
                del expect[name]
            if limits:
                yield f"{', '.join(limits)}: not judged, since the scenario says them for timers of its own"
            return
        lowest = min(node.priority or 0 for node in scenario.daemons.values())
        skew_s = max(0.0, (lowest - min(one.priority for one in self.asked.routers.values())) / 256)
        for name in limits:
            if skew_s and expect[name]:
                expect[name] = round(expect[name] + skew_s, 3)

    def _owner(self, data: dict[str, Any], scenario: Scenario) -> Iterator[str]:
        """Who has the address at the end, where it is not whom the scenario's own configuration gives it to."""
        theirs = _preempting_as(scenario, self.asked.routers)
        told = foretold(scenario, theirs, assignment("keepalived"))
        steps = [*scenario.setup, *scenario.steps]
        written = [*(data.get("setup") or []), *data["steps"]]
        for step, one, (before, after) in zip(steps, written, told, strict=True):
            waited = step.argument.master or step.argument.announced if step.name == "wait" else None
            if waited and waited == before and after not in (waited, None):
                keyword = "master" if step.argument.master else "announced"
                one["wait"][keyword] = after
                yield f"{step}: {after} goes on being master by this configuration, and is what is waited for"
        before, after = told[-1]
        for name in ("owner", "client"):
            if data["expect"].get(name) == before and after not in (None, before):
                data["expect"][name] = after
                yield f"expect: {name} {before} is {after}, since nobody takes the address back"


def own(option: str) -> Own:
    """The files that `--config` names, rewritten for the bench.

    Raises:
        InputError: one cannot be used; a line for each reason, with file and line.
    """
    files = given(option)
    for one in files:
        one.config()  # what is wrong is said in the user's own names
    shared = {one.given.host: one for one in _shared(files)}
    names = renaming(shared)
    made, changed = zip(*(rewritten(one, names) for one in files), strict=True)
    found = asked(made, {host: one.number for host, one in shared.items()})
    notes = [line for one in shared.values() for line in _notes(one, found.configs[one.given.host].routers)]
    return Own(found, [one for some in changed for one in some], notes)


def _shared(files: Sequence[Given]) -> Iterator[Shared]:
    """The first virtual router that all hosts have and that has an address which the client can ask."""
    numbered = [{_identity(one): (at, one) for at, one in reversed(list(enumerate(instances(one))))} for one in files]
    first = files[0]
    for instance in instances(first):
        key = _identity(instance)
        if next(virtual_lines(instance), None) and all(key in there for there in numbered):
            for file, there in zip(files, numbered, strict=True):
                yield Shared(file, there[key][1], there[key][0])
            return
    numbers = {one.file: [value(each, "virtual_router_id") or "none" for each in instances(one)] for one in files}
    said = "; ".join(f"{file} has virtual_router_id {', '.join(there) or 'none'}" for file, there in numbers.items())
    raise InputError(f"--config: no vrrp_instance with an IPv4 address that all of these share: {said}")


def _identity(instance: Any) -> tuple[str | None, bool]:
    return value(instance, "virtual_router_id"), next(virtual_lines(instance), None) is not None


def _notes(one: Shared, routers: Sequence[RouterConfig]) -> Iterator[str]:
    own, place = routers[one.number], one.given.place
    if len(routers) > 1:
        yield f"{place(one.instance)}: {own.name} is what the client asks; the other instances run beside it"
    for script in (block for block in one.given.statements if block.keyword == "vrrp_script"):
        if any(track.kind == "script" and track.name == script.words[1] for track in own.tracks):
            name = script.words[1]
            weighted = any(track.name == name and track.weight for track in own.tracks)
            comes = "has another priority" if weighted else "is in FAULT, and never master"
            yield f"{place(script)}: {name} is run on the bench; where it fails there, {one.given.host} {comes}"
    for at in one.given.virtual_servers:
        yield f"{at}: virtual servers are kept; nothing of them is judged"


def _preempting_as(scenario: Scenario, routers: Mapping[HostName, RouterConfig]) -> Scenario:
    """The scenario with the states, priorities and preemption of these routers, and nothing else of them."""
    first = next(iter(routers.values()))
    hosts = {
        host: node.model_copy(
            update={
                "state": "MASTER" if routers[host].initial_master else "BACKUP",
                "priority": routers[host].priority,
            }
        )
        if host in scenario.daemons
        else node
        for host, node in scenario.hosts.items()
    }
    vrrp = scenario.vrrp.model_copy(update={"nopreempt": not first.preempt})
    return scenario.model_copy(update={"hosts": hosts, "vrrp": vrrp})
