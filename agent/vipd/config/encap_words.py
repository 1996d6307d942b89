"""Reads `encap TYPE ...` of a route, and makes the attributes that the kernel takes for it (linux/lwtunnel.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vipd.config.iproute_names import TOS, Names
from vipd.config.model import Encap, packed
from vipd.config.values import Words, WrongError, ip_address, natural

_LABEL, _BOTTOM, _LABEL_BITS = 12, 0x100, 20  # RFC 3032
_LOCATOR = 1  # ILA_ATTR_LOCATOR, and MPLS_IPTUNNEL_DST
_GROUPS = 4


class _Option(NamedTuple):
    """The attribute's number, and what makes its octets of a word."""

    number: int
    octets: Callable[[str, Names], bytes]


def _number(size: int) -> Callable[[str, Names], bytes]:
    def octets(word: str, names: Names) -> bytes:
        number = natural(word)
        if number is None or number >> 8 * size:
            raise WrongError(f"encap: {word!r} is not a number of {8 * size} bits")
        return number.to_bytes(size, "big")

    return octets


def _address(family: int) -> Callable[[str, Names], bytes]:
    def octets(word: str, names: Names) -> bytes:
        address = ip_address(word)
        if (":" in address) != (family == 6):
            raise WrongError(f"encap: {address} is not of IPv{family}")
        return packed(address)

    return octets


def _tos(word: str, names: Names) -> bytes:
    return bytes([names.number(TOS, word)])


_IP = {"id": _Option(1, _number(8)), "dst": _Option(2, _address(4)), "src": _Option(3, _address(4)),
       "ttl": _Option(4, _number(1)), "tos": _Option(5, _tos), "flags": _Option(6, _number(2))}  # fmt: skip
_IP6 = {"id": _Option(1, _number(8)), "dst": _Option(2, _address(6)), "src": _Option(3, _address(6)),
        "hoplimit": _Option(4, _number(1)), "tc": _Option(5, _tos), "flags": _Option(6, _number(2))}  # fmt: skip
_TUNNELS = {"ip": (2, _IP), "ip6": (4, _IP6)}


def encap(words: Words, names: Names) -> Encap:
    """The words from the type on, as far as they belong to it."""
    kind = words.after("encap")
    if kind in _TUNNELS:
        return _tunnel(kind, words, names)
    if kind == "mpls":
        value = words.after("encap mpls")
        return Encap(1, ((_LOCATOR, _labels(value)),), f"mpls {value}")
    if kind == "ila":
        value = words.after("encap ila")
        return Encap(3, ((_LOCATOR, _locator(value)),), f"ila {value}")
    raise WrongError(f"there is no encap {kind!r}, but ip, ip6, mpls, ila")


def _tunnel(kind: str, words: Words, names: Names) -> Encap:
    number, options = _TUNNELS[kind]
    attributes, text = [], [kind]
    while words.peek() in options:
        name = next(words)
        value = words.after(f"encap {kind} {name}")
        attributes.append((options[name].number, options[name].octets(value, names)))
        text += [name, value]
    if not {1, 2} & {number for number, _ in attributes}:
        raise WrongError(f"encap {kind} has neither dst nor id; add one")
    return Encap(number, tuple(attributes), " ".join(text))


def _labels(text: str) -> bytes:
    numbers = [natural(part) for part in text.split("/")]
    if any(number is None or number >> _LABEL_BITS for number in numbers):
        raise WrongError(f"encap: {text!r} is not MPLS labels, such as 100/200")
    entries = [(number or 0) << _LABEL for number in numbers]
    entries[-1] |= _BOTTOM
    return b"".join(entry.to_bytes(4, "big") for entry in entries)


def _locator(text: str) -> bytes:
    parts = text.split(":")
    try:
        if len(parts) != _GROUPS:
            raise ValueError
        return b"".join(int(part, 16).to_bytes(2, "big") for part in parts)
    except (ValueError, OverflowError):
        raise WrongError(f"encap: {text!r} is not an ILA locator, such as 1:2:3:4") from None
