"""How the state machine is tested: a script for one router, and a fake link with a fake clock for several.

A script reads as what happens (`>>`) and what the router must do about it (`<<`), one effect each, in their order::

    script = Playbook("keepalived-2")
    script >> started() << log("(VI_1) Entering BACKUP STATE (init)") ...
    script.done()

An effect that the script does not name fails it, as does one that it names and that does not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vipd.config.behaviour import PRESETS, SECOND_NS
from vipd.config.model import RouterConfig, VirtualAddress
from vipd.protocol.effects import (
    AddAddresses,
    Effect,
    Log,
    Notify,
    RemoveAddresses,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.protocol.packet import Advert
from vipd.protocol.packet_v2 import encode
from vipd.protocol.router import Router
from vipd.protocol.table import State

MS_NS = 1_000_000
VIP = VirtualAddress("192.168.122.50", 24, "eth1", "192.168.122.255", "eth1:0")
OWN = 0x0A000002  # 10.0.0.2
LOWER_ADDRESS = 0x0A000001
HIGHER_ADDRESS = 0x0A000003


def config(**changes: object) -> RouterConfig:
    """The article's instance, with changes."""
    fields: dict[str, object] = {
        "name": "VI_1",
        "interface": "eth0",
        "vrid": 51,
        "addresses": (VIP,),
        "priority": 101,
        "tracked": ("eth1",),
    }
    interval_s = changes.pop("advert_int_s", None)
    if interval_s is not None:
        changes["advert_int_ns"] = round(float(interval_s) * SECOND_NS)  # type: ignore[arg-type]
    return RouterConfig(**{**fields, **changes})  # type: ignore[arg-type]


def packet(priority: int, vrid: int = 51, advert_int_s: int = 1, addresses: bytes = VIP.octets) -> bytes:
    """An advert as another router of the same virtual router sends it."""
    return encode(Advert(2, vrid, priority, advert_int_s * SECOND_NS, addresses))


# -- what happens

Event = Callable[["Playbook"], None]


def started(eth0: bool = True, eth1: bool = True) -> Event:
    return lambda play: play.router.started({"eth0": eth0, "eth1": eth1}, play.now)


def advert(priority: int, source: int = HIGHER_ADDRESS) -> Event:
    def happen(play: Playbook) -> None:
        assert play.router.advert_received(packet(priority), source, 255, play.now) is None

    return happen


def link(name: str, up: bool) -> Event:
    return lambda play: play.router.interface_changed(name, up, play.now)


def seconds(amount: float) -> Event:
    """Time goes by, and no deadline may lie before its end."""

    def happen(play: Playbook) -> None:
        play.now += round(amount * SECOND_NS)
        deadline = play.router.deadline()
        assert deadline is None or deadline >= play.now, f"a deadline {play.now - deadline} ns before the script's time"

    return happen


def timeout(after_s: float) -> Event:
    """The router's next deadline comes, this long from now."""

    def happen(play: Playbook) -> None:
        deadline = play.router.deadline()
        assert deadline is not None, "the router waits for nothing"
        assert abs((deadline - play.now) / SECOND_NS - after_s) < 1e-6, f"waits {(deadline - play.now) / SECOND_NS} s"
        play.now = deadline
        play.router.handle_deadline(play.now)

    return happen


def stopped() -> Event:
    return lambda play: play.router.shut_down(play.now)


# -- what is done about it


class Seen(NamedTuple):
    """An effect, as a script names it."""

    kind: str
    detail: object = None


def sends(priority: int) -> Seen:
    return Seen("send advert", priority)


def log(text: str) -> Seen:
    return Seen("log", text)


def adds() -> Seen:
    return Seen("add addresses")


def removes() -> Seen:
    return Seen("remove addresses")


def garps(repeat: int = 5) -> Seen:
    return Seen("gratuitous arp", repeat)


def becomes(state: State) -> Seen:
    return Seen("becomes", state)


def seen(effect: Effect) -> Seen:
    """The name that scripts have for an effect."""
    if isinstance(effect, SendAdvert):
        return sends(effect.priority)
    if isinstance(effect, Log):
        return log(effect.text)
    if isinstance(effect, AddAddresses):
        return adds()
    if isinstance(effect, RemoveAddresses):
        return removes()
    if isinstance(effect, SendGratuitousArp):
        return garps(effect.repeat)
    assert isinstance(effect, Notify)
    return becomes(effect.state)


class Playbook:
    """A script for one router. Log lines are left out of it unless `logs` is set."""

    def __init__(self, profile: str, logs: bool = False, **changes: object) -> None:
        self.router = Router(config(**changes), PRESETS[profile], OWN)
        self.now = 1_000 * SECOND_NS
        self._logs = logs
        self._pending: list[Seen] = []

    def __rshift__(self, event: Event) -> Playbook:
        self.done()
        event(self)
        effects = [seen(effect) for effect in self.router.drain()]
        self._pending = [effect for effect in effects if self._logs or effect.kind != "log"]
        return self

    def __lshift__(self, expected: Seen) -> Playbook:
        assert self._pending, f"expected {expected}, but nothing more was done"
        assert self._pending.pop(0) == expected
        return self

    def done(self) -> None:
        """The script is at its end, or at its next event: nothing may be left."""
        assert not self._pending, f"not in the script: {self._pending}"

    @property
    def waits_s(self) -> float | None:
        """How long until the next deadline."""
        deadline = self.router.deadline()
        return None if deadline is None else (deadline - self.now) / SECOND_NS


# -- several routers


class Node:
    """A host on the fake link, with one router and the addresses that it holds."""

    def __init__(self, name: str, address: int, profile: str, config: RouterConfig) -> None:
        self.name = name
        self.address = address
        self.profile = profile
        self.config = config
        self.router = Router(config, PRESETS[profile], address)
        self.running = False
        self.holds = False
        self.links = dict.fromkeys(config.interfaces, True)


class Moment(NamedTuple):
    """One thing that was seen on the bench."""

    at_ns: int
    node: str
    what: Seen


class Bench:
    """Nodes on one link, a clock that goes from deadline to deadline, and a record of all that was done."""

    DELAY_NS = 200_000

    def __init__(self) -> None:
        self.now = 0
        self.nodes: dict[str, Node] = {}
        self.record: list[Moment] = []
        self._in_flight: list[tuple[int, int, str, bytes]] = []  # due, number, sender, packet
        self._sent = 0

    def add(self, name: str, profile: str, **changes: object) -> Node:
        node = Node(name, OWN + len(self.nodes), profile, config(**changes))
        self.nodes[name] = node
        return node

    def start(self, name: str) -> None:
        node = self.nodes[name]
        node.router = Router(node.config, PRESETS[node.profile], node.address)
        node.running = True
        node.router.started(node.links, self.now)
        self._run_effects(node)

    def kill(self, name: str) -> None:
        """SIGKILL: nothing is cleaned up, the addresses stay."""
        self.nodes[name].running = False

    def stop(self, name: str) -> None:
        node = self.nodes[name]
        node.router.shut_down(self.now)
        self._run_effects(node)
        node.running = False

    def power_cut(self, name: str) -> None:
        self.kill(name)
        self.nodes[name].holds = False

    def link(self, name: str, interface: str, up: bool) -> None:
        node = self.nodes[name]
        node.links[interface] = up
        if node.running:
            node.router.interface_changed(interface, up, self.now)
            self._run_effects(node)

    def run(self, for_s: float) -> None:
        end = self.now + round(for_s * SECOND_NS)
        while True:
            due, handle = min(self._next(), default=(end + 1, None), key=lambda item: item[0])
            if due > end or handle is None:
                self.now = end
                return
            self.now = max(self.now, due)
            handle()

    def since(self, at_ns: int, node: str, what: Seen) -> float:
        """Seconds from `at_ns` to the first time that the node did this."""
        for moment in self.record:
            if moment.at_ns >= at_ns and moment.node == node and moment.what == what:
                return (moment.at_ns - at_ns) / SECOND_NS
        raise AssertionError(f"{node} never did {what}")

    def last(self, node: str, what: Seen) -> int:
        return max(moment.at_ns for moment in self.record if moment.node == node and moment.what == what)

    def said(self, node: str, since_ns: int = 0) -> list[str]:
        return [
            str(moment.what.detail)
            for moment in self.record
            if moment.node == node and moment.what.kind == "log" and moment.at_ns >= since_ns
        ]

    def owners(self) -> list[str]:
        """Who answers for the address: a host that holds it and whose public interface is up."""
        return [node.name for node in self.nodes.values() if node.holds and node.links["eth1"]]

    def _next(self) -> Iterator[tuple[int, Callable[[], None]]]:
        for node in self.nodes.values():
            deadline = node.router.deadline() if node.running else None
            if deadline is not None:
                yield deadline, lambda node=node: self._timeout(node)  # type: ignore[misc]
        if self._in_flight:
            flight = min(self._in_flight)
            yield flight[0], lambda: self._arrive(flight)

    def _timeout(self, node: Node) -> None:
        node.router.handle_deadline(self.now)
        self._run_effects(node)

    def _arrive(self, flight: tuple[int, int, str, bytes]) -> None:
        self._in_flight.remove(flight)
        _, _, sender, sent = flight
        for node in self.nodes.values():
            if node.name != sender and node.running and node.links["eth0"]:
                node.router.advert_received(sent, self.nodes[sender].address, 255, self.now)
                self._run_effects(node)

    def _run_effects(self, node: Node) -> None:
        for effect in node.router.drain():
            self.record.append(Moment(self.now, node.name, seen(effect)))
            if isinstance(effect, SendAdvert) and node.links["eth0"]:
                self._sent += 1
                self._in_flight.append((self.now + self.DELAY_NS, self._sent, node.name, effect.packet))
            elif isinstance(effect, (AddAddresses, RemoveAddresses)):
                node.holds = isinstance(effect, AddAddresses)
