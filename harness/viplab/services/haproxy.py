"""HAProxy on the virtual address, before the hosts that run no daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.addresses import HTTP_PORT, address_of
from viplab.services.service import Service
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Scenario

_CONFIGURATION = "/etc/haproxy/haproxy.cfg"


def _files(scenario: Scenario, host: HostName) -> dict[str, str]:
    """Bound to the virtual address alone, as its users write it; `via` says which of the balancers has answered."""
    behind = "".join(
        f"    server {name} {address_of(name, 'eth0')}:{HTTP_PORT} check inter 1s\n"
        for name in scenario.hosts
        if name not in scenario.daemons
    )
    text = f"""\
global
    log /dev/log local0 notice
    user haproxy
    group haproxy

defaults
    log global
    mode http
    timeout connect 1s
    timeout client 1m
    timeout server 1m

frontend vip
    bind {scenario.vrrp.vip}:{HTTP_PORT}
    default_backend hosts

backend hosts
    balance roundrobin
    http-response set-header via "1.1 {host}"
{behind}"""
    return {_CONFIGURATION: text}


HAPROXY = Service(
    name="haproxy",
    present=("/usr/sbin/haproxy",),
    packages=("haproxy",),
    files=_files,
    start=f"haproxy -D -f {_CONFIGURATION} -p /run/haproxy.pid",
    balances=True,
)
