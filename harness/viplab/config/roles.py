"""Which words of keepalived.conf are names of interfaces or addresses: one table of blocks and keywords."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from ipaddress import AddressValueError, IPv4Address


class Role(Enum):
    """What a word is, where it is a name or an address."""

    INTERFACE = auto()
    LABEL = auto()
    VIRTUAL = auto()
    """A virtual address, with its prefix length if it has one."""
    BROADCAST = auto()
    OWN = auto()
    """The host's own address, which adverts come from."""
    PEER = auto()
    """Another host's."""
    ADDRESS = auto()
    """Any other address or network."""


_VALUE: dict[tuple[str, str], Role] = {
    ("vrrp_instance", "interface"): Role.INTERFACE,
    ("vrrp_instance", "lvs_sync_daemon_interface"): Role.INTERFACE,
    ("vrrp_instance", "unicast_src_ip"): Role.OWN,
    ("vrrp_instance", "mcast_src_ip"): Role.OWN,
    ("global_defs", "default_interface"): Role.INTERFACE,
    ("global_defs", "lvs_sync_daemon"): Role.INTERFACE,
    ("garp_group", "interface"): Role.INTERFACE,
    ("", "virtual_server"): Role.ADDRESS,
    ("virtual_server", "real_server"): Role.ADDRESS,
    ("virtual_server", "sorry_server"): Role.ADDRESS,
}
"""The word after a keyword, by the block that the keyword stands in."""
_LINE: dict[str, Role] = {
    "unicast_peer": Role.PEER,
    "track_interface": Role.INTERFACE,
    "linkbeat_interfaces": Role.INTERFACE,
    "interface_up_down_delays": Role.INTERFACE,
    "virtual_ipaddress": Role.VIRTUAL,
    "virtual_ipaddress_excluded": Role.VIRTUAL,
    "static_ipaddress": Role.ADDRESS,
    "virtual_server_group": Role.ADDRESS,
}
"""The first word of each line of a block."""
_OPTION: dict[str, Role] = {
    "dev": Role.INTERFACE,
    "oif": Role.INTERFACE,
    "iif": Role.INTERFACE,
    "label": Role.LABEL,
    "brd": Role.BROADCAST,
    "broadcast": Role.BROADCAST,
    "peer": Role.ADDRESS,
}
_WITH_OPTIONS = ("virtual_ipaddress", "virtual_ipaddress_excluded", "static_ipaddress")
_ROUTING = ("virtual_routes", "static_routes", "virtual_rules", "static_rules")
_CHECKED = ("connect_ip", "bindto")


def roles(path: Sequence[str], words: Sequence[str]) -> Iterator[tuple[int, Role]]:
    """The words of a statement that are names or addresses: each one's place among them, and what it is.

    Args:
        path: the keywords of the blocks that it stands in, the outermost first.
        words: the statement.
    """
    block = path[-1] if path else ""
    role = _VALUE.get((block, words[0]))
    if role is None and words[0] in _CHECKED and path and path[0] == "virtual_server":
        role = Role.ADDRESS
    if role and len(words) > 1:
        yield 1, role
    if line := _LINE.get(block):
        yield 0, line
    if path[-2:] == ("garp_group", "interfaces"):
        yield from ((at, Role.INTERFACE) for at in range(len(words)))
    if block in _WITH_OPTIONS or block in _ROUTING:
        for at in range(len(words)):
            if option := _OPTION.get(words[at - 1]) if at else None:
                yield at, option
            elif block in _ROUTING and address(words[at]):
                yield at, Role.ADDRESS


def address(word: str) -> IPv4Address | None:
    """The IPv4 address of a word, which may have a prefix length; None where it has none."""
    try:
        return IPv4Address(word.partition("/")[0])
    except AddressValueError:
        return None
