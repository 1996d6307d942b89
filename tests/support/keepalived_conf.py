"""The article's two configurations, and texts that are read by vipd's parser."""

from __future__ import annotations

import pytest

from vipd.config.model import RouterConfig
from vipd.config.parser import ConfigError, parse

PART_1 = """\
vrrp_instance VI_1 {
state MASTER
interface eth0
virtual_router_id 51
priority 102
virtual_ipaddress {
192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0
}
}
"""
PART_3 = """\
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 101
    track_interface {
        eth1
    }
    virtual_ipaddress {
        192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0
    }
}
"""


def router(text: str) -> RouterConfig:
    (found,) = parse(text, "f").config.routers
    return found


def instance(lines: str) -> str:
    return f"vrrp_instance V {{\n{lines}\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {{ 10.1.1.1 }}\n}}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        parse(text, "f")
    return raised.value.problems
