"""Compares a new configuration with what runs: which routers stop, start, or go on under another configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from vipd.config.behaviour import Behaviour
from vipd.config.model import Config, RouterConfig
from vipd.config.parser import Parsed
from vipd.protocol.router import Router


def refusal(old: Parsed, new: Parsed) -> str | None:
    """Why a new configuration without errors is not taken all the same; None if it is.

    Whoever writes a file truncates it first, and a reload in between must not give up every address. keepalived does.
    """
    if old.config.routers and not new.config.routers:
        return "the new configuration has no vrrp_instance; stop vipd if none is wanted"
    for name in sorted(new.diagnostics.unread - old.diagnostics.unread):
        return f"{name} is included and can no longer be read; correct the name, or remove the line"
    return None


class Distinction(NamedTuple):
    """Something in a configuration whose change stops a virtual router and starts another one.

    Attributes:
        keywords: what sets it.
        value: it, of a configuration.
        why: the reason.
    """

    keywords: str
    value: Callable[[RouterConfig], object]
    why: str


# All else goes on in its state. keepalived 2.2.7 was measured to draw the same line, instance by instance.
DISTINCTIONS = (
    Distinction("`interface`", lambda config: config.interface, "another link has other routers"),
    Distinction("`virtual_router_id`", lambda config: config.vrid, "it is another virtual router"),
    Distinction(
        "`native_ipv6`, or the family of the first address",
        lambda config: config.family,
        "a virtual router of IPv4 and one of IPv6 know nothing of each other",
    ),
    Distinction(
        "`use_vmac` given or taken away",
        lambda config: config.use_vmac,
        "hosts know the addresses by another MAC address",
    ),
    Distinction(
        "`mcast_dst_ip`, `vrrp_mcast_group4`, `vrrp_mcast_group6`",
        lambda config: config.group,
        "the old group has to be told that no more adverts come",
    ),
    Distinction(
        "the first `unicast_peer` given, or the last one taken away",
        lambda config: bool(config.unicast_peers),
        "the old group, or the old peers, have to be told that no more adverts come",
    ),
    Distinction(
        "`unicast_src_ip`",
        lambda config: config.source if config.unicast_peers else None,
        "to peers it is another sender, which they may not know",
    ),
)


def table() -> str:
    """What stops and starts an instance, as Markdown; docs/vipd.md has it."""
    rows = [f"| {one.keywords} | {one.why} |" for one in DISTINCTIONS]
    return "\n".join(["| change | why |", "|---|---|", *rows])


class Changes(NamedTuple):
    """The routers of the new configuration, sorted by what has to happen to them."""

    routers: dict[str, Router]
    gone: list[Router]
    new: list[Router]
    succeeded: list[tuple[Router, Router]]


# Unicast instances with peers of their own may share all else; the first way in which a pair fits decides.
_FITS: tuple[Callable[[RouterConfig, RouterConfig], bool], ...] = (
    lambda old, new: old == new,
    lambda old, new: not {*old.unicast_peers}.isdisjoint(new.unicast_peers),
    lambda old, new: old.name == new.name,
    lambda old, new: True,
)


def compare(routers: Mapping[str, Router], config: Config, behaviour: Behaviour, detail: bool) -> Changes:
    """Compare the running routers with a configuration.

    A router whose configuration is the same stays the very object that it is, timers and all. One that is still the
    same virtual router to its peers goes on in its state under the new configuration, whatever it is called. All else
    stops and starts.
    """
    running: dict[tuple[object, ...], list[Router]] = {}
    for router in routers.values():
        running.setdefault(_identity(router.config), []).append(router)
    predecessors: dict[str, Router] = {}
    for fits in _FITS:
        for wanted in config.routers:
            candidates = running.get(_identity(wanted), [])
            found = next((one for one in candidates if fits(one.config, wanted)), None)
            if found is not None and wanted.name not in predecessors:
                predecessors[wanted.name] = found
                candidates.remove(found)
    changes = Changes({}, [one for left in running.values() for one in left], [], [])
    for wanted in config.routers:
        before = predecessors.get(wanted.name)
        if before is not None and before.config == wanted:
            changes.routers[wanted.name] = before
            continue
        made = Router(wanted, behaviour, detail=detail)
        changes.routers[wanted.name] = made
        if before is None:
            changes.new.append(made)
        else:
            made.resume_from(before)
            changes.succeeded.append((before, made))
    return changes


def _identity(config: RouterConfig) -> tuple[object, ...]:
    return tuple(one.value(config) for one in DISTINCTIONS)
