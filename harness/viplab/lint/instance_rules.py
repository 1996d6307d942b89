"""Rules on what one node says: each a pure function of what was read."""

from __future__ import annotations

from collections.abc import Iterator

from viplab.lint.finding import Found
from viplab.lint.read import Cluster

_PASSWORD = 8
"""Octets that an advert has room for (RFC 2338, section 5.3.10)."""


def untracked_interface(cluster: Cluster) -> Iterator[Found]:
    """An address lies on another interface than the adverts, and nothing is tracked that could tell that it is lost."""
    for one in cluster.instances:
        router = one.router
        watched = {router.interface, router.default_device, *router.tracked}
        watched |= {track.name for track in router.tracks if track.kind == "interface"}
        if any(track.kind != "interface" for track in router.tracks):
            continue
        lost: dict[str, str] = {}
        for address in router.served:
            if address.device not in watched:
                lost.setdefault(address.device, address.address)
        for device, first in lost.items():
            yield Found(
                one.at("virtual_ipaddress", "virtual_ipaddress_excluded"),
                f"{first} is on {device}, adverts leave by {router.interface}, and {device} is not tracked; "
                f"add: track_interface {{ {device} }}",
            )


def nopreempt_with_master(cluster: Cluster) -> Iterator[Found]:
    """An instance is not to preempt and begins as master."""
    for one in cluster.instances:
        if one.router.initial_master and not one.router.preempt:
            yield Found(
                one.at("nopreempt"), "nopreempt has no effect beside state MASTER; write state BACKUP on every node"
            )


def script_without_timeout(cluster: Cluster) -> Iterator[Found]:
    """A script has no time limit of its own."""
    for node in cluster.nodes:
        for script, place in node.scripts:
            if script.timeout_ns is None:
                yield Found(
                    place,
                    f"{script.name} has no timeout, so it fails after its interval of {script.interval_ns / 1e9:g} s; "
                    "add: timeout SECONDS",
                )


def long_password(cluster: Cluster) -> Iterator[Found]:
    """A password is longer than what is sent of it."""
    for one in cluster.instances:
        statement = one.statement("auth_pass")
        octets = len(statement.words[1].encode(errors="surrogateescape")) if statement is not one.head else 0
        if octets > _PASSWORD:
            yield Found(
                one.at("auth_pass"),
                f"auth_pass has {octets} characters, of which the first {_PASSWORD} are sent, unhidden; write no more",
            )
