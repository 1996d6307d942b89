"""The names that stand for numbers in addresses, routes and rules: those of /etc/iproute2, and what is always known."""

from __future__ import annotations

from typing import NamedTuple

from vipd.config.source import Find, no_files
from vipd.config.values import WrongError, natural

_FOLDER = "/etc/iproute2"


class _Kind(NamedTuple):
    """What the numbers of one kind are called, the file that has more names, the largest number, and known names."""

    word: str
    file: str
    high: int
    known: dict[str, int]


TABLE = _Kind("routing table", "rt_tables", 0xFFFFFFFF, {"main": 254, "local": 255, "default": 253})
SCOPE = _Kind("scope", "rt_scopes", 255, {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255})
PROTOCOL = _Kind("protocol", "rt_protos", 255, {
    "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "gated": 8, "ra": 9, "mrt": 10, "zebra": 11, "bird": 12,
    "dnrouted": 13, "xorp": 14, "ntk": 15, "dhcp": 16, "keepalived": 18, "babel": 42,
    "bgp": 186, "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192,
})  # fmt: skip
TOS = _Kind("type of service", "rt_dsfield", 255, {})
REALM = _Kind("realm", "rt_realms", 255, {"cosmos": 0})
GROUP = _Kind("group of interfaces", "group", 0x7FFFFFFF, {"default": 0})
IP_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132, "udplite": 136}


class Names:
    """Looks names up. A file is read when a name is not known without it."""

    def __init__(self, find: Find = no_files) -> None:
        self._find = find
        self._read: dict[str, dict[str, int]] = {}

    def number(self, kind: _Kind, word: str) -> int:
        """The number that a word stands for.

        Raises:
            WrongError: it is neither a number of that kind nor a name.
        """
        number = natural(word)
        if number is None:
            number = kind.known.get(word)
        if number is None:
            number = self._named(kind.file).get(word)
        if number is None:
            raise WrongError(
                f"{word!r} is no {kind.word}: neither a number up to {kind.high} nor a name in {_FOLDER}/{kind.file}"
            )
        if number > kind.high:
            raise WrongError(f"{kind.word} {word} is more than {kind.high}")
        return number

    def realms(self, word: str) -> int:
        """One realm, or two as `FROM/TO`, as one number."""
        source, slash, destination = word.partition("/")
        high = self.number(REALM, source)
        return high << 16 | self.number(REALM, destination) if slash else high

    def _named(self, file: str) -> dict[str, int]:
        if file not in self._read:
            found: dict[str, int] = {}
            for pattern in (f"{_FOLDER}/{file}", f"{_FOLDER}/{file}.d/*.conf"):
                for _, text in self._find(pattern, "/"):
                    for line in (text or "").splitlines():
                        words = line.partition("#")[0].split()
                        number = natural(words[0]) if len(words) == 2 else None
                        if number is not None:
                            found.setdefault(words[1], number)
            self._read[file] = found
        return self._read[file]
