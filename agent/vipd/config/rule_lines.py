"""Reads lines in the form of `ip rule`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vipd.config.blocks import Statement
from vipd.config.iproute_names import GROUP, IP_PROTOCOLS, TABLE, TOS, Names
from vipd.config.model import Rule
from vipd.config.route_lines import OWN_PROTOCOL, up_to
from vipd.config.values import CorrectedError, Words, WrongError, instead, interface_name, natural, network

ACTIONS = {"goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
FIRST_PREFERENCE = 16384  # keepalived's, counted down for each rule that has none
_TO_TABLE = 1
_ALL = ("all", "any", "default")


def _table(word: str, names: Names) -> int:
    number = names.number(TABLE, word)
    if not number:
        raise WrongError("there is no table 0")
    return number


def _marked(word: str, names: Names) -> tuple[int, int | None]:
    mark, slash, mask = word.partition("/")
    numbers = [natural(part) for part in ((mark, mask) if slash else (mark,))]
    if any(number is None or number > 0xFFFFFFFF for number in numbers):
        raise WrongError(f"fwmark {word!r} is not MARK[/MASK]")
    return numbers[0] or 0, numbers[1] if slash else None


def _range(high: int) -> Callable[[str, Names], tuple[int, int]]:
    def read(word: str, names: Names) -> tuple[int, int]:
        first, dash, last = word.partition("-")
        return up_to(first, high, "range"), up_to(last if dash else first, high, "range")

    return read


def _ip_protocol(word: str, names: Names) -> int:
    return IP_PROTOCOLS[word.lower()] if word.lower() in IP_PROTOCOLS else up_to(word, 255, "ipproto")


def _number(high: int, what: str) -> Callable[[str, Names], int]:
    return lambda word, names: up_to(word, high, what)


_OPTIONS: dict[str, tuple[str, Callable[[str, Names], Any]]] = {
    "table": ("table", _table),
    "lookup": ("table", _table),
    "preference": ("preference", _number(0xFFFFFFFF, "preference")),
    "priority": ("preference", _number(0xFFFFFFFF, "preference")),
    "order": ("preference", _number(0xFFFFFFFF, "preference")),
    "iif": ("iif", lambda word, names: interface_name(word)),
    "dev": ("iif", lambda word, names: interface_name(word)),
    "oif": ("oif", lambda word, names: interface_name(word)),
    "tos": ("tos", lambda word, names: names.number(TOS, word)),
    "dsfield": ("tos", lambda word, names: names.number(TOS, word)),
    "fwmark": ("fwmark", _marked),
    "realms": ("realms", lambda word, names: names.realms(word)),
    "goto": ("goto", _number(0xFFFFFFFF, "goto")),
    "protocol": ("protocol", _number(255, "protocol")),
    "ipproto": ("ip_proto", _ip_protocol),
    "ip_proto": ("ip_proto", _ip_protocol),  # as the manual's example has it
    "sport": ("sport", _range(65535)),
    "dport": ("dport", _range(65535)),
    "uidrange": ("uidrange", _range(0xFFFFFFFE)),
    "tunnel-id": ("tunnel_id", _number(2**64 - 1, "tunnel-id")),
    "suppress_prefixlength": ("suppress_prefixlength", _number(0x7FFFFFFF, "suppress_prefixlength")),
    "sup_pl": ("suppress_prefixlength", _number(0x7FFFFFFF, "sup_pl")),
    "suppress_ifgroup": ("suppress_ifgroup", lambda word, names: names.number(GROUP, word)),
    "sup_group": ("suppress_ifgroup", lambda word, names: names.number(GROUP, word)),
}
_OF_TABLES = ("realms", "suppress_prefixlength", "suppress_ifgroup")
_FAMILIES = {"inet": 4, "inet6": 6}


def rule(line: Statement, names: Names) -> Rule:
    """The same for a line of an instance."""
    if "track_group" in line.words:
        raise WrongError("'track_group' is for static addresses, routes and rules alone; remove it")
    return static_rule(line, names)


def static_rule(line: Statement, names: Names) -> Rule:
    """`[from NETWORK] [to NETWORK] [iif IFACE] [oif IFACE] [fwmark M] ... table TABLE preference N`."""
    words = Words(line.words)
    fields: dict[str, Any] = {"preference": -1}
    families: set[int] = set()
    actions: list[int] = []
    for word in words:
        if word in ("from", "to"):
            value = words.after("the rule")
            fields["source" if word == "from" else "destination"] = (
                None if value in (*_ALL, "default6") else network(value)
            )
            families |= {6 if ":" in value or value == "default6" else 4} if value not in _ALL else set()
        elif word in _FAMILIES:
            families.add(_FAMILIES[word])
        elif word in _OPTIONS and word != "goto":
            field, read = _OPTIONS[word]
            fields[field] = read(words.after("the rule"), names)
            actions += [_TO_TABLE] if field == "table" else []
            families |= {4} if field == "realms" else set()
        elif word == "not":
            fields["invert"] = True
        elif word == "l3mdev":
            fields["l3mdev"] = True
            actions.append(_TO_TABLE)
        elif word == "no_track":
            fields["tracked"] = False
        elif word == "track_group":
            next(words, None)
        else:
            actions.append(_action(words.after("type") if word == "type" else word, words, fields, names))
    return _checked(fields, families, actions)


def _action(word: str, words: Words, fields: dict[str, Any], names: Names) -> int:
    if word not in ACTIONS:
        raise WrongError(f"{word!r} is not known in a rule; {instead(word, ['from', 'to', *_OPTIONS, *ACTIONS])}")
    if word == "goto":
        fields["goto"] = _OPTIONS["goto"][1](words.after("the rule"), names)
    return ACTIONS[word]


def _checked(fields: dict[str, Any], families: set[int], actions: list[int]) -> Rule:
    if len(families) > 1:
        raise WrongError("something in this rule is of IPv4, and something of IPv6; a rule has one family")
    if not actions:
        raise WrongError("this rule says nothing to do; add: table TABLE")
    if len(actions) > 1:
        raise WrongError("this rule says two things to do; keep one of table, l3mdev, goto, nop, blackhole, ...")
    if actions != [_TO_TABLE] and fields.keys() & set(_OF_TABLES):
        raise WrongError(f"{', '.join(_OF_TABLES)} are for rules with a table alone; remove them")
    if "goto" in fields and fields["goto"] <= fields["preference"]:
        raise WrongError(f"goto {fields['goto']} does not lead forward from preference {fields['preference']}")
    if "goto" in fields and fields["preference"] < 0:
        raise WrongError("a rule with goto needs a preference; add one below its target")
    if "fwmark" in fields:
        fields["fwmark"], fields["fwmask"] = fields["fwmark"]
    foreign = fields.get("tracked", True) and fields.get("protocol", OWN_PROTOCOL) != OWN_PROTOCOL
    if foreign:
        del fields["protocol"]
    made = Rule(family=max(families, default=4), action=actions[0], **fields)
    if foreign:
        raise CorrectedError(
            made, "its protocol is keepalived's, as of all rules that are tracked; add no_track to keep it"
        )
    return made
