"""The warm-up ends with whatever a router is configured to wait for."""

from __future__ import annotations

import pytest

from vipd.config.behaviour import PRESETS
from vipd.config.parser import parse
from vipd.daemon.warmup import warm_up

LINES = (
    "priority 255",
    "state MASTER\npriority 101",
    "nopreempt",
    "preempt_delay 300\npriority 101",
    "version 3\nadvert_int 0.01",
    "authentication {\nauth_type AH\nauth_pass secret\n}",
    "unicast_peer {\n10.0.0.2\n}",
)


@pytest.mark.parametrize("profile", PRESETS)
@pytest.mark.parametrize("said", LINES)
def test_a_warm_up_ends_whatever_is_configured(profile: str, said: str) -> None:
    parsed = parse(
        f"vrrp_instance A {{\ninterface eth0\nvirtual_router_id 1\n{said}\nvirtual_ipaddress {{\n10.0.0.9\n}}\n}}", "f"
    )
    warm_up(parsed.config.routers[0], PRESETS[profile])
