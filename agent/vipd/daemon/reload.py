"""Compares a new configuration with what runs: which routers stop, start, or go on under another configuration."""

from __future__ import annotations

from collections.abc import Mapping
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


class Changes(NamedTuple):
    """The routers of the new configuration, sorted by what has to happen to them."""

    routers: dict[str, Router]
    gone: list[Router]
    new: list[Router]
    succeeded: list[tuple[Router, Router]]


def compare(routers: Mapping[str, Router], config: Config, behaviour: Behaviour, detail: bool) -> Changes:
    """Compare the running routers with a configuration.

    A router whose configuration is the same stays the very object that it is, timers and all. One that is still the
    same virtual router to its peers goes on in its state under the new configuration. All else stops and starts.
    """
    changes = Changes({}, [], [], [])
    for wanted in config.routers:
        running = routers.get(wanted.name)
        if running is not None and running.config == wanted:
            changes.routers[wanted.name] = running
            continue
        made = Router(wanted, behaviour, detail=detail)
        changes.routers[wanted.name] = made
        if running is not None and _same(running.config, wanted):
            made.resume_from(running)
            changes.succeeded.append((running, made))
        else:
            changes.new.append(made)
            if running is not None:
                changes.gone.append(running)
    changes.gone.extend(router for name, router in routers.items() if name not in changes.routers)
    return changes


def _same(old: RouterConfig, new: RouterConfig) -> bool:
    """Whether peers see the same virtual router, so that it need not stop and start."""

    def identity(config: RouterConfig) -> tuple[object, ...]:
        return (
            config.interface, config.vrid, config.family, config.version, config.dual, config.use_vmac,
            config.vmac_name, config.source, config.group, config.unicast_peers, config.auth_type, config.auth_pass,
        )  # fmt: skip

    return identity(old) == identity(new)
