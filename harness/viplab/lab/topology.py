"""The bench of the article as data: three networks, a client, host A and its clones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_interface

from viplab.address_family import IPV4, IPV6, AddressFamily
from viplab.addresses import address_of, link_local, number_of
from viplab.errors import LabError
from viplab.types import HostName, NetworkName


@dataclass(frozen=True)
class Network:
    """A libvirt network: a bridge of the host, isolated from everything else."""

    name: NetworkName
    bridge: str
    mac: str
    """The bridge's own, always the same: saved guests remember it as the client's."""
    host_ip: str | None
    """Address and prefix length of the host's end, None where the host only listens."""


@dataclass(frozen=True)
class Interface:
    """A guest's network card."""

    name: str
    network: NetworkName
    mac: str
    ip: str
    """Address and prefix length."""

    @property
    def address(self) -> str:
        """The address alone."""
        return self.ip.partition("/")[0]

    def address_in(self, family: AddressFamily) -> str:
        """The address of that family; of IPv6 the card has the link-local one, and no other but for the VIP."""
        return self.address if family is IPV4 else link_local(self.mac)


@dataclass(frozen=True)
class Host:
    """A guest."""

    name: HostName
    hostname: str
    interfaces: tuple[Interface, ...]

    def interface(self, name: str) -> Interface:
        """The card of that name (eth0, eth1, eth2).

        Raises:
            LabError: there is none.
        """
        found = [card for card in self.interfaces if card.name == name]
        if not found:
            raise LabError(f"{self.hostname} has no {name}, only {', '.join(card.name for card in self.interfaces)}")
        return found[0]

    def port(self, name: str) -> str:
        """The bridge's end of that card, in every lab."""
        return f"{self.name}-{name}"


PUBLIC = Network("public", "virbr0", "52:54:00:c1:1e:40", "192.168.122.1/24")
INTERCONNECT = Network("interconnect", "virbr1", "52:54:00:c1:1e:41", None)
MGMT = Network("mgmt", "virbr2", "52:54:00:c1:1e:42", "10.10.12.1/24")
NETWORKS = (INTERCONNECT, PUBLIC, MGMT)
BY_NAME = {network.name: network for network in NETWORKS}

CENSUS_PORT = "viplab-port"
"""The owner census's own port of the public bridge."""
CLIENT_HOSTNAME = "krystianek"
MGMT_IP = "10.10.12.1"
MARKER_PORT = 7112


@dataclass(frozen=True)
class Client:
    """What the client is on the public network, in one family."""

    ip: str
    """Its own address and prefix length."""
    probe: str
    """The address that the probe asks from, alone."""

    @property
    def address(self) -> str:
        """Its own address alone."""
        return self.ip.partition("/")[0]

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """The addresses that it reaches without a router."""
        return ip_interface(self.ip).network


CLIENTS = {IPV4: Client("192.168.122.1/24", "192.168.122.2"), IPV6: Client("fd00:122::1/64", "fd00:122::2")}
"""By family; the client has IPv6 while a scenario is about that."""
CLIENT_IP = CLIENTS[IPV4].address


PAIR: tuple[HostName, ...] = ("A", "B")
"""The article's two hosts."""

# The article's own, on the public network.
_ARTICLE_MACS = {"A": "52:54:00:03:ba:f2", "B": "52:54:00:56:c3:f4"}


@cache
def make_host(name: HostName) -> Host:
    """The host of that name; its letter's place in the alphabet gives the addresses: A has .11, B .12, C .13."""
    number = number_of(name)
    return Host(
        name,
        f"centOS-host{name}",
        (
            Interface("eth0", INTERCONNECT.name, f"52:54:00:10:10:{number:02x}", _ip(name, "eth0")),
            Interface("eth1", PUBLIC.name, _ARTICLE_MACS.get(name, f"52:54:00:10:22:{number:02x}"), _ip(name, "eth1")),
            Interface("eth2", MGMT.name, f"52:54:00:10:12:{number:02x}", _ip(name, "eth2")),
        ),
    )


def _ip(name: HostName, card: str) -> str:
    return f"{address_of(name, card)}/24"
