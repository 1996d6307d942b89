"""What the bench's names are for each interface and address of the user's files.

The interface of the address that the client will ask becomes eth1, on the public network; every other one eth0, on the
interconnect. Hosts' own addresses become those of the bench's hosts, virtual addresses 192.168.122.50 and so on (on
eth0 10.10.10.50), and whatever else lies in a network of theirs keeps its last octet, a gateway for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from vipd.config.blocks import Statement
from viplab.addresses import SUBNETS, address_of
from viplab.config.given import Given
from viplab.config.roles import Role, address, roles
from viplab.errors import InputError
from viplab.types import HostName

PUBLIC, INTERCONNECT = "eth1", "eth0"
_FIRST_VIRTUAL, _LAST_VIRTUAL = 50, 254
_ALONE = ("lo",)
_VIRTUAL = ("virtual_ipaddress", "virtual_ipaddress_excluded")
_SMALLEST = 24
"""The prefix length of a network whose own is not said, or is longer than those of the bench."""


@dataclass(frozen=True)
class Shared:
    """The virtual router that the client will ask: the `vrrp_instance` of each host, as it was written."""

    given: Given
    instance: Statement
    number: int
    """Which of its instances it is, from 0."""

    @property
    def interface(self) -> str:
        """The interface of its adverts."""
        return value(self.instance, "interface") or ""

    @property
    def device(self) -> str:
        """The interface of its first virtual address."""
        line = next(virtual_lines(self.instance))
        named = line.words[line.words.index("dev") + 1] if "dev" in line.words[:-1] else ""
        return self.interface if named in ("", _macvlan(self.instance)) else named


@dataclass
class Renaming:
    """The bench's names, for each host's interfaces and for the addresses of all."""

    interfaces: dict[HostName, dict[str, str]] = field(default_factory=dict)
    virtual: dict[str, str] = field(default_factory=dict)
    own: dict[str, tuple[HostName, str]] = field(default_factory=dict)
    """The host, and its card, that has an address."""
    networks: dict[IPv4Network, str] = field(default_factory=dict)
    """The card that stands for each network."""

    def name(self, host: HostName, role: Role, words: Sequence[str], at: int) -> str:
        """What a word becomes, itself where nothing is known for it."""
        word = words[at]
        if role is Role.INTERFACE:
            return self.interfaces[host].get(word, word)
        if role is Role.LABEL:
            before, colon, after = word.partition(":")
            return self.interfaces[host].get(before, before) + colon + after
        found = address(word)
        if found is None:
            return word
        slash, length = word.partition("/")[1:]
        if role is Role.BROADCAST:
            return self._broadcast(words, word)
        if role is Role.VIRTUAL:
            return self.virtual.get(str(found), str(found)) + slash + length
        return self._address(str(found), length) + slash + length

    def anything(self, host: HostName, word: str) -> str:
        """What a word becomes whose role is not known: the value of a parameter."""
        role = Role.ADDRESS if address(word) else Role.LABEL
        return self.name(host, role, [word], 0)

    def _address(self, old: str, length: str = "") -> str:
        if old in self.virtual:
            return self.virtual[old]
        if old in self.own:
            return address_of(*self.own[old])
        narrow = int(length) if length.isdigit() else 32
        within = [one for one in self.networks if IPv4Address(old) in one and one.prefixlen <= narrow]
        if not within:
            return old
        card = self.networks[max(within, key=lambda one: one.prefixlen)]
        return f"{SUBNETS[card]}.{old.rpartition('.')[2]}"

    def _broadcast(self, words: Sequence[str], word: str) -> str:
        """The one of the address that the line begins with, as it becomes."""
        first, length = self._address(words[0].partition("/")[0]), words[0].partition("/")[2]
        if first == words[0].partition("/")[0] or not length.isdigit() or int(length) > 32:
            return self._address(word)
        return str(IPv4Interface(f"{first}/{length}").network.broadcast_address)


def renaming(shared: Mapping[HostName, Shared]) -> Renaming:
    """The bench's names for what these hosts' files say.

    Raises:
        InputError: hosts' adverts would leave by no card, or by different ones, or there are too many addresses.
    """
    made = Renaming()
    for host, one in shared.items():
        made.interfaces[host] = _interfaces(one)
    cards = {host: _card(made, one) for host, one in shared.items()}
    if len(set(cards.values())) > 1:
        said = " and ".join(f"{one.given.place(one.instance)} {cards[host]}" for host, one in shared.items())
        raise InputError(
            f"adverts would leave by {said}: have addresses on the adverts' own interface everywhere, or nowhere"
        )
    for host, one in shared.items():
        _note_own(made, host, one.given.statements)
    first, *_ = shared.values()
    for one in (first, *(one for one in shared.values() if one is not first)):
        ordered = [one.instance, *(other for other in instances(one.given) if other != one.instance)]
        for instance in ordered:
            _note_virtual(made, one.given, instance)
    for host, one in shared.items():
        for instance in instances(one.given):
            _note_peers(made, host, list(shared), instance)
    return made


def instances(given: Given) -> list[Statement]:
    """Its virtual routers."""
    return [one for one in given.statements if one.keyword == "vrrp_instance" and one.body]


def value(statement: Statement, keyword: str) -> str | None:
    """The last value of a keyword in a block, which is the one that counts."""
    found = [one.words[1] for one in statement.body or () if one.keyword == keyword and len(one.words) > 1]
    return found[-1] if found else None


def virtual_lines(instance: Statement) -> Iterator[Statement]:
    """The lines of its IPv4 addresses, but for those on the loopback, which belong to no network."""
    for block in instance.body or ():
        if block.keyword == "virtual_ipaddress":
            yield from (line for line in block.body or () if address(line.keyword) and not _alone(line))


def walk(statements: Sequence[Statement], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Statement]]:
    """Each statement with the keywords of the blocks that it stands in."""
    for one in statements:
        yield path, one
        yield from walk(one.body or (), (*path, one.keyword))


def _alone(line: Statement) -> bool:
    return "dev" in line.words[:-1] and line.words[line.words.index("dev") + 1] in _ALONE


def _macvlan(instance: Statement) -> str | None:
    """The name of an instance's own macvlan, which is no interface of the host's."""
    if not any(one.keyword == "use_vmac" for one in instance.body or ()):
        return None
    return value(instance, "use_vmac") or f"vrrp.{value(instance, 'virtual_router_id')}"


def _interfaces(shared: Shared) -> dict[str, str]:
    made = {shared.device: PUBLIC}
    kept = {*_ALONE, *map(_macvlan, instances(shared.given))}
    for path, statement in walk(shared.given.statements):
        for at, role in roles(path, statement.words):
            word = statement.words[at]
            if role is Role.INTERFACE and word not in kept:
                made.setdefault(word, INTERCONNECT)
    return made


def _card(made: Renaming, shared: Shared) -> str:
    """The card that adverts leave by."""
    if (card := made.interfaces[shared.given.host].get(shared.interface)) is None:
        place = shared.given.place(shared.instance)
        raise InputError(f"{place}: interface {shared.interface}: adverts cannot leave by it; name a network card")
    return card


def _note_own(made: Renaming, host: HostName, statements: Sequence[Statement]) -> None:
    for instance in (one for one in statements if one.keyword == "vrrp_instance"):
        card = made.interfaces[host].get(value(instance, "interface") or "", INTERCONNECT)
        for keyword in ("unicast_src_ip", "mcast_src_ip"):
            if (old := value(instance, keyword)) and address(old):
                made.own.setdefault(str(address(old)), (host, card))
                _note_network(made, old, card)


def _note_virtual(made: Renaming, given: Given, instance: Statement) -> None:
    own = value(instance, "interface") or ""
    blocks = [one for keyword in _VIRTUAL for one in instance.body or () if one.keyword == keyword]
    for block in blocks:
        for line in block.body or ():
            old = address(line.keyword)
            if old is None or _alone(line):
                continue
            named = line.words[line.words.index("dev") + 1] if "dev" in line.words[:-1] else own
            known = made.interfaces[given.host]
            card = known.get(named) or known.get(own, INTERCONNECT)
            _note_network(made, line.keyword, card)
            if str(old) in made.virtual:
                continue
            last = _FIRST_VIRTUAL + sum(new.startswith(f"{SUBNETS[card]}.") for new in made.virtual.values())
            if last > _LAST_VIRTUAL:
                most = _LAST_VIRTUAL - _FIRST_VIRTUAL + 1
                raise InputError(
                    f"{given.place(line)}: more than {most} virtual addresses; the bench has no room for it"
                )
            made.virtual[str(old)] = f"{SUBNETS[card]}.{last}"


def _note_peers(made: Renaming, host: HostName, hosts: Sequence[HostName], instance: Statement) -> None:
    """Whose address each peer's is: who says that it is his, else who is left, else a host that is not there."""
    card = made.interfaces[host].get(value(instance, "interface") or "", INTERCONNECT)
    peers = [
        line.keyword for block in instance.body or () if block.keyword == "unicast_peer" for line in block.body or ()
    ]
    known = {made.own[one][0] for one in peers if one in made.own}
    left = iter([*(one for one in hosts if one != host and one not in known), *_letters_after(hosts)])
    for one in peers:
        if address(one) and one not in made.own and (other := next(left, None)):
            made.own[one] = (other, card)
            _note_network(made, one, card)


def _letters_after(hosts: Sequence[HostName]) -> list[HostName]:
    return [chr(code) for code in range(ord(max(hosts)) + 1, ord("Z") + 1)]


def _note_network(made: Renaming, word: str, card: str) -> None:
    given_length = word.partition("/")[2]
    length = min(int(given_length), _SMALLEST) if given_length.isdigit() else _SMALLEST
    made.networks.setdefault(IPv4Network(f"{address(word)}/{length}", strict=False), card)
