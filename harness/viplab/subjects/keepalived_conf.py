"""The keepalived.conf that a scenario asks for, laid out as the article prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from viplab.address_family import IPV6
from viplab.addresses import address_of, virtual_mac
from viplab.scenario.vrrp import Vrrp
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Node, OfInstance, Scenario

PATH = "/etc/keepalived/keepalived.conf"
"""Where every daemon looks for it that reads one."""
KEYWORDS = frozenset({*Vrrp.model_fields, "keepalived_conf"})
"""What a daemon that reads it can be asked for."""


def keepalived_conf(scenario: Scenario, host: HostName) -> str:
    """The configuration of one host."""
    vrrp, node = scenario.vrrp, scenario.hosts[host]
    if node.keepalived_conf is not None:
        return node.keepalived_conf
    kept = {*vrrp.asked, "virtual_ipaddress"} - {"name", "vrrp_instance"}
    asked = {name: value for name, value in vrrp if name in kept}
    defined = {f"{kind} {name}": one for kind in _DEFINED for name, one in asked.pop(kind, {}).items()}
    groups = {f"vrrp_sync_group {name}": {"group": members} for name, members in asked.pop(_GROUP, {}).items()}
    instances = {f"vrrp_instance {vrrp.name}": _instance(scenario, host, vrrp.interface, node, asked)}
    for name, further in vrrp.vrrp_instance.items():
        own = {**dict.fromkeys(_NOT_IN_COMMON), **further.model_dump(exclude_defaults=True)}
        instances[f"vrrp_instance {name}"] = _instance(
            scenario, host, further.interface, node.vrrp_instance.get(name, node), {**asked, **own}
        )
    return "".join(f"{line}\n" for line in _lines({**defined, **groups, **instances}))


def _instance(
    scenario: Scenario, host: HostName, interface: str, role: Node | OfInstance, asked: Mapping[str, Any]
) -> dict[str, Any]:
    instance = {
        "state": role.state,
        "interface": interface,
        "virtual_router_id": scenario.vrrp.virtual_router_id,
        "priority": role.priority,
    }
    for keyword, value in asked.items():
        if keyword == "unicast":
            instance |= _unicast(scenario, host, interface)
        elif keyword != "interface":
            instance[keyword] = value
    return instance


def vmac(scenario: Scenario) -> str | None:
    """The virtual MAC, where the first address has it."""
    vrrp = scenario.vrrp
    if not vrrp.use_vmac or vrrp.vip_interface != vrrp.interface:
        return None
    return virtual_mac(vrrp.virtual_router_id, ipv6=vrrp.family is IPV6)


def _unicast(scenario: Scenario, host: HostName, interface: str) -> dict[str, Any]:
    own, *peers = [address_of(one, interface) for one in (host, *sorted(scenario.daemons.keys() - {host}))]
    return {"unicast_src_ip": own, "unicast_peer": peers}


_DEFINED = ("vrrp_script", "vrrp_track_file")
"""Keywords that stand beside the instance, once for each name."""
_GROUP = "vrrp_sync_group"
_NOT_IN_COMMON = ("track_interface", "virtual_ipaddress_excluded")
"""What a further instance has only where that is said of it."""


def _lines(statements: Mapping[str, Any]) -> Iterator[str]:
    """Each keyword with its value, or with a block of lines where it has several; a flag has none."""
    for keyword, value in statements.items():
        if isinstance(value, list | Mapping | BaseModel):
            yield f"{keyword} {{"
            yield from (f"    {line}" for line in (value if isinstance(value, list) else _lines(dict(value))))
            yield "}"
        elif value is not None:
            yield keyword if value is True else f"{keyword} {_word(value)}"


def _word(value: str | float) -> str:
    if isinstance(value, str):
        return f'"{value}"' if " " in value else value
    return f"{value:g}"
