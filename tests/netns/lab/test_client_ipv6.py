"""The client's IPv6 comes and goes with a trial, on a bridge that may be others' as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from viplab.address_family import IPV6
from viplab.lab.command import run
from viplab.lab.ipv6 import client_has_ipv6
from viplab.lab.sandbox import LAB, contained
from viplab.lab.topology import CLIENTS

BRIDGE = "br0"
CONF = Path("/proc/sys/net/ipv6/conf") / BRIDGE
THEIRS, PROBE = "2001:db8::1/64", f"{CLIENTS[IPV6].probe}/128"
KEYS = ("accept_dad", "accept_ra", "router_solicitations", "disable_ipv6")


def _state() -> tuple[dict[str, str], bool, bool]:
    """The bridge's settings, and whether it has their address and the client's."""
    listed = run(["ip", "-6", "address", "show", "dev", BRIDGE])
    return {key: (CONF / key).read_text() for key in KEYS}, THEIRS in listed, CLIENTS[IPV6].ip in listed


@pytest.mark.parametrize("had_it", [True, False])
def test_a_bridge_has_after_a_trial_over_ipv6_what_it_had_before(had_it: bool) -> None:
    def inside() -> tuple[object, object, object]:
        run(["ip", "link", "add", BRIDGE, "type", "bridge"])
        (CONF / "disable_ipv6").write_text("0" if had_it else "1")
        if had_it:
            run(["ip", "address", "add", THEIRS, "dev", BRIDGE])
        before = _state()
        with client_has_ipv6(BRIDGE):
            run(["ip", "address", "replace", PROBE, "dev", BRIDGE])
            meanwhile = _state()
        assert PROBE not in run(["ip", "-6", "address", "show", "dev", BRIDGE])
        return before, meanwhile, _state()

    before, meanwhile, after = contained(inside, LAB)
    assert meanwhile[1:] == (had_it, True)
    assert after == before
