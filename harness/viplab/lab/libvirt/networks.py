"""The lab's networks on a libvirt: made, or, where its `default` network is what the article had, used as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from viplab.address_family import IPV4
from viplab.errors import LabError
from viplab.lab.libvirt.guest import TEMPLATES
from viplab.lab.libvirt.label import Label
from viplab.lab.topology import CLIENTS, PUBLIC, Network, make_host
from viplab.types import HostName

DEFAULT = "default"
"""The network that libvirt's packages bring."""


def start(connection: libvirt.virConnect, network: Network, label: Label | None = None) -> tuple[str, Network]:
    """Have libvirt make a network; returns what it is called there, and the network with its bridge.

    With a label libvirt chooses the bridge, since others may have taken any.

    Raises:
        LabError: libvirt refuses, or the network is not as defined.
    """
    name = label.name(network.name) if label else network.name
    xml = TEMPLATES.get_template("network.xml.j2").render(network=network, name=name, label=label)
    try:
        made = connection.networkCreateXML(xml)
        network = replace(network, bridge=made.bridgeName())
    except libvirt.libvirtError as error:
        raise LabError(f"network {name}: {error.get_error_message()}") from None
    stp, delay = settings(network)
    if stp or delay:
        # A port would wait up to twice the delay before it forwards, and that would be measured as failover time.
        raise LabError(f"bridge {network.bridge}: STP {stp}, forward delay {delay}, not 0 as defined")
    return name, network


def theirs(connection: libvirt.virConnect) -> Network | None:
    """The public network as libvirt's `default` has it; None where that is not up, or not 192.168.122.1/24.

    Raises:
        LabError: its bridge is not on this machine.
    """
    try:
        found = connection.networkLookupByName(DEFAULT)
        root = ElementTree.fromstring(found.XMLDesc())
        if not found.isActive() or PUBLIC.host_ip not in [_address(one) for one in root.iterfind("ip")]:
            return None
        network = replace(PUBLIC, bridge=found.bridgeName(), mac=_mac(root))
    except libvirt.libvirtError:
        return None
    settings(network)
    return network


def leases(connection: libvirt.virConnect) -> dict[str, str]:
    """The addresses that its `default` network has given away, each with whom it was given to."""
    try:
        given = connection.networkLookupByName(DEFAULT).DHCPLeases()
    except libvirt.libvirtError:
        return {}
    return {lease["ipaddr"]: lease.get("hostname") or lease["mac"] for lease in given}


def taken(connection: libvirt.virConnect, hosts: Collection[HostName]) -> Iterator[tuple[str, str]]:
    """The addresses of a lab with these hosts that `default` has given to somebody, each with whom."""
    given = leases(connection)
    ours = (CLIENTS[IPV4].probe, *(make_host(name).interface("eth1").address for name in sorted(hosts)))
    return ((address, given[address]) for address in ours if address in given)


def settings(network: Network) -> tuple[int, int]:
    """Whether the bridge has STP, and its forward delay in hundredths of a second."""
    bridge = Path("/sys/class/net") / network.bridge / "bridge"
    try:
        stp, delay = (int((bridge / name).read_text()) for name in ("stp_state", "forward_delay"))
    except OSError:
        raise LabError(
            f"network {network.name}: its bridge {network.bridge} is not in this network namespace; "
            "run viplab where libvirt's bridges are"
        ) from None
    return stp, delay


def _mac(network: ElementTree.Element) -> str:
    """The bridge's own address."""
    found = network.find("mac")
    return (None if found is None else found.get("address")) or PUBLIC.mac


def _address(element: ElementTree.Element) -> str:
    """Address and prefix length of an `<ip>` element, which has a netmask or a prefix."""
    return ip_interface(
        f"{element.get('address')}/{element.get('prefix') or element.get('netmask') or 32}"
    ).with_prefixlen
