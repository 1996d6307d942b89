"""The keepalived.conf that a scenario asks for, laid out as the article prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Scenario

PATH = "/etc/keepalived/keepalived.conf"
"""Where every daemon looks for it that reads one."""


def keepalived_conf(scenario: Scenario, host: HostName) -> str:
    """The configuration of one host."""
    vrrp, node = scenario.vrrp, scenario.hosts[host]
    lines = [
        "vrrp_instance VI_1 {",
        f"    state {node.state}",
        f"    interface {vrrp.interface}",
        f"    virtual_router_id {vrrp.virtual_router_id}",
        f"    priority {node.priority}",
    ]
    if vrrp.advert_int != 1:
        lines.append(f"    advert_int {vrrp.advert_int}")
    if vrrp.track_interface:
        lines += ["    track_interface {", *(f"        {name}" for name in vrrp.track_interface), "    }"]
    lines += ["    virtual_ipaddress {", f"        {vrrp.virtual_ipaddress}", "    }", "}"]
    return "\n".join(lines) + "\n"
