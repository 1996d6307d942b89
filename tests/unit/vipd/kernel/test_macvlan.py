"""Macvlans: what could not be set of one is set when it can be."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest

from support.routers import config
from vipd.kernel import macvlan
from vipd.kernel.macvlan import Macvlans
from vipd.kernel.picture import Link


class Network:
    """An interface, and the macvlans that are made on it."""

    def __init__(self) -> None:
        self.links = {"eth0": Link(2, "eth0", True, bytes(6))}

    def make_macvlan(self, name: str, lower: Link, mac: bytes, alias: str) -> None:
        self.links[name] = Link(len(self.links) + 9, name, False, mac, lower.ifindex, alias)


def test_a_setting_that_failed_is_tried_again_and_keeps_none_of_the_others_from_being_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: dict[str, str] = {}
    refused = {"ipv4/conf/eth0/arp_ignore"}

    def write(name: str, value: str) -> None:
        if name in refused:
            raise OSError(errno.EROFS, "Read-only file system")
        written[name] = value

    sysctl = SimpleNamespace(read=lambda name: "0", write=write, exists=lambda name: True)
    monkeypatch.setattr(macvlan, "sysctl", sysctl)
    router = config(use_vmac=True, interface="eth0", vrid=51)
    macvlans = Macvlans(Network(), "mark")  # type: ignore[arg-type]
    failed = macvlans.update([router])
    assert "ipv4/conf/eth0/arp_ignore: Read-only file system" in str(failed["vrrp.51"])
    assert len(written) == len(macvlan._SETTINGS) - 1
    refused.clear()
    assert macvlans.update([router]) == {}
    assert written["ipv4/conf/eth0/arp_ignore"] == "1"
    written.clear()
    assert macvlans.update([router]) == {}
    assert not written, "what is set up is left alone"
