"""Reads lines in the form of `ip address`, and of `unicast_peer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vipd.config.blocks import Statement
from vipd.config.iproute_names import SCOPE, Names
from vipd.config.model import VirtualAddress
from vipd.config.values import (
    NAME_LIMIT,
    CorrectedError,
    Words,
    WrongError,
    instead,
    interface_name,
    ip_address,
    ipv4,
    natural,
    prefix,
    whole,
    without_mask,
)

FLAGS = {"-nodad": 0x02, "home": 0x10, "mngtmpaddr": 0x100, "noprefixroute": 0x200, "autojoin": 0x400}
FOREVER = 0xFFFFFFFF
_ALONE = {*FLAGS, "no_track", "use_vmac"}
_BROADCAST_BITS = 30  # a longer prefix leaves no host bits for a broadcast address


def _label(word: str, names: Names) -> str:
    if not 1 <= len(word) <= NAME_LIMIT:
        raise WrongError(f"label {word!r} is longer than {NAME_LIMIT} characters")
    return word


def _lifetime(word: str, names: Names) -> int:
    number = FOREVER if word == "forever" else natural(word)
    if number is None or number > FOREVER:
        raise WrongError(f"preferred_lft {word!r} is neither forever nor a number of seconds")
    return number


_OPTIONS: dict[str, tuple[str, Callable[[str, Names], Any]]] = {
    "brd": ("broadcast", lambda word, names: word if word in ("+", "-") else ipv4(word)),
    "broadcast": ("broadcast", lambda word, names: word if word in ("+", "-") else ipv4(word)),
    "dev": ("device", lambda word, names: interface_name(word)),
    "label": ("label", _label),
    "scope": ("scope", lambda word, names: names.number(SCOPE, word)),
    "peer": ("peer", lambda word, names: ip_address(word)),
    "preferred_lft": ("preferred_lft", _lifetime),
}


def virtual_address(line: Statement, names: Names) -> VirtualAddress:
    """The same for a line of an instance, which is tracked as a whole."""
    if "track_group" in line.words:
        raise WrongError("'track_group' is for static addresses, routes and rules alone; remove it")
    return static_address(line, names)


def static_address(line: Statement, names: Names) -> VirtualAddress:
    """`ADDRESS[/MASK] [brd ADDRESS] [dev IFACE] [label LABEL] [scope SCOPE] [peer ADDRESS] ...`."""
    text, slash, length = line.keyword.partition("/")
    address = ip_address(text)
    bits = 128 if ":" in address else 32
    length_bits = prefix(length, bits) if slash else bits
    fields: dict[str, Any] = {"flags": 0}
    rest = Words(line.values)
    for word in rest:
        if word in FLAGS:
            fields["flags"] |= FLAGS[word]
        elif word == "use_vmac":
            fields["use_vmac"] = True
        elif word == "no_track":
            fields["tracked"] = False
        elif word == "track_group":
            next(rest, None)
        elif word in _OPTIONS:
            field, read = _OPTIONS[word]
            if field == "device" and field in fields:
                raise WrongError(f"{line.keyword} has two devices; name one")
            fields[field] = read(rest.after(line.keyword), names)
        elif word not in _ALONE:
            raise WrongError(f"{word!r} is not known here; {instead(word, [*_OPTIONS, *sorted(_ALONE)])}")
    if "peer" in fields and slash:
        raise WrongError(f"{line.keyword}: an address with a peer takes no mask; remove it")
    if "peer" in fields and (":" in fields["peer"]) != (bits == 128):
        raise WrongError(f"peer {fields['peer']} is not of the family of {address}")
    corrected = _corrected(address, length_bits, fields)
    if bits == 128 and "preferred_lft" not in fields:
        fields["preferred_lft"] = 0 if length_bits == bits else None  # so that a host takes no /128 for its source
    elif fields.get("preferred_lft") == FOREVER and (bits == 32 or length_bits < bits):
        fields["preferred_lft"] = None
    made = VirtualAddress(address, length_bits, fields.pop("device", ""), **fields)
    if corrected:
        raise CorrectedError(made, corrected)
    return made


def _corrected(address: str, length: int, fields: dict[str, Any]) -> str:
    """Take out what keepalived takes out, and say so; nothing where there is none."""
    if ":" in address:
        if "broadcast" in fields:
            raise WrongError(f"brd: IPv6 has no broadcast; remove it from {address}")
        wrong = [word for word in ("scope", "label") if fields.pop(word, None)]
        return f"{address}: IPv6 has no {' and no '.join(wrong)} here; remove it" if wrong else ""
    if "broadcast" in fields and "peer" in fields:
        del fields["broadcast"]
        return f"{address}: of brd and peer an address has one; brd is left out"
    if fields.get("broadcast") in ("+", "-"):
        sign = fields.pop("broadcast")
        if length > _BROADCAST_BITS:
            return f"{address}/{length}: a mask this long leaves no broadcast address; brd is left out"
        fields["broadcast"] = _broadcast(address, length, sign)
    return ""


def _broadcast(address: str, length: int, sign: str) -> str:
    """The host bits set (`+`) or cleared (`-`), as in ip-address(8)."""
    host = (1 << (32 - length)) - 1
    value = int.from_bytes(bytes(int(part) for part in address.split(".")), "big")
    value = value | host if sign == "+" else value & ~host
    return ".".join(str(octet) for octet in value.to_bytes(4, "big"))


def ttl_range(line: Statement) -> tuple[str, int, int]:
    """`ADDRESS [min_ttl N] [max_ttl N]`, a line of `unicast_peer`."""
    bounds = {"min_ttl": 0, "max_ttl": 255}
    rest = Words(line.values)
    for word in rest:
        if word not in bounds:
            raise WrongError(f"{word!r} is not known here; {instead(word, bounds)}")
        bounds[word] = whole(rest.after(line.keyword), 0, 255)
    if bounds["min_ttl"] > bounds["max_ttl"]:
        raise WrongError(f"min_ttl {bounds['min_ttl']} is more than max_ttl {bounds['max_ttl']}")
    return without_mask(line.keyword), bounds["min_ttl"], bounds["max_ttl"]
