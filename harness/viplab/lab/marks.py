"""What the bench itself puts into a network namespace that is not its own: marked with the lab's label, to be found.

A private lab's namespace ends with the lab, so that nothing in there needs a mark.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from viplab.errors import LabError
from viplab.lab.bridge_ipv6 import Before, parse_before
from viplab.lab.command import run
from viplab.lab.libvirt.label import Label, parse_label

_LABEL = "VIPLAB_LABEL"
"""Environment variable of a lab's processes: the label, where it is not alone in its network namespace."""
_LONGEST = 15
"""Octets that the kernel gives to the label of an address."""


def mark_with(label: Label) -> None:
    """Have what this process and its later children make marked so."""
    os.environ[_LABEL] = label.text


def link_words() -> list[str]:
    """What `ip link set` is told besides, of a link that was made."""
    return ["alias", os.environ[_LABEL]] if _LABEL in os.environ else []


def address_words(interface: str) -> list[str]:
    """What `ip address` is told besides, of an address that is given to somebody's interface."""
    return ["label", _address_label(interface)] if _LABEL in os.environ else []


def remember(words: Sequence[str]) -> Callable[[], object]:
    """Have what somebody's bridge had before be known after a crash as well; returns what ends that.

    The words follow the label in the alias of a link that is for nothing else.
    """
    if (label := parse_label(os.environ.get(_LABEL, ""))) is None:
        return lambda: None
    name = label.name("")[:_LONGEST]
    run(["ip", "link", "add", name, "type", "bridge"])
    run(["ip", "link", "set", name, "alias", " ".join([label.text, *words])])
    return partial(run, ["ip", "link", "del", name])


def table(name: str) -> str:
    """What nftables' table of that name is called."""
    return f"{os.environ.get(_LABEL, 'viplab')}-{name}"


def marked(lab: Label | None) -> Iterator[tuple[str, Label, Callable[[], object]]]:
    """What is marked in this network namespace: what it is, its label, and how to remove it or what it stands for.

    An address has no room for a label in full: it is said to be of this lab.
    """
    for link in json.loads(run(["ip", "-json", "link", "show"]) or "[]"):
        said, *words = link.get("ifalias", "").split() or [""]
        if label := parse_label(said):
            name, before = link["ifname"], parse_before(words)
            what = f"link {name}" if before is None else f"IPv6 on {before.bridge}"
            yield what, label, partial(_remove_link, name, before)
    for family, name in _tables():
        if label := parse_label(name.rpartition("-")[0]):
            yield f"table {family} {name}", label, partial(run, ["nft", "delete", "table", family, name])
    for interface, address in _addresses():
        words = ["ip", "address", "del", address, "dev", interface]
        if lab is not None:
            yield f"address {address} on {interface}", lab, partial(run, words)


def _remove_link(name: str, before: Before | None) -> None:
    if before is not None:
        before.put_back()
    run(["ip", "link", "del", name])


def _tables() -> list[tuple[str, str]]:
    """The tables that nftables has, each with its family."""
    if shutil.which("nft") is None:
        return []
    try:
        words = [line.split() for line in run(["nft", "list", "tables"]).splitlines()]
    except LabError:
        return []  # a kernel that has none, or that does not let us make one either
    return [(family, name) for _, family, name in words]


def _addresses() -> Iterator[tuple[str, str]]:
    for link in json.loads(run(["ip", "-json", "-4", "address", "show"]) or "[]"):
        name = str(link.get("ifname"))
        for info in link.get("addr_info", []):
            if info.get("label") == _address_label(name) != name:
                yield name, f"{info['local']}/{info['prefixlen']}"


def _address_label(interface: str) -> str:
    return f"{interface}:viplab"[:_LONGEST]
