"""The keepalived.conf that a scenario asks for, laid out as the article prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from viplab.scenario.vrrp import Vrrp
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Scenario

PATH = "/etc/keepalived/keepalived.conf"
"""Where every daemon looks for it that reads one."""
KEYWORDS = frozenset(Vrrp.model_fields)
"""What a daemon that reads it can be asked for."""


def keepalived_conf(scenario: Scenario, host: HostName) -> str:
    """The configuration of one host."""
    vrrp, node = scenario.vrrp, scenario.hosts[host]
    instance = {
        "state": node.state,
        "interface": vrrp.interface,
        "virtual_router_id": vrrp.virtual_router_id,
        "priority": node.priority,
        **{name: value for name, value in vrrp if name in vrrp.asked or name == "virtual_ipaddress"},
    }
    return "".join(f"{line}\n" for line in _lines({"vrrp_instance VI_1": instance}))


def _lines(statements: Mapping[str, object]) -> Iterator[str]:
    """Each keyword with its value, or with a block of lines where it has several."""
    for keyword, value in statements.items():
        if isinstance(value, list | Mapping):
            yield f"{keyword} {{"
            yield from (f"    {line}" for line in (value if isinstance(value, list) else _lines(value)))
            yield "}"
        else:
            yield f"{keyword} {value:g}" if isinstance(value, float) else f"{keyword} {value}"
