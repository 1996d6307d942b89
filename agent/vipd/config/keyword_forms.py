"""Forms that a single keyword has; those that several keywords share are in `values`."""

from __future__ import annotations

from typing import Any

from vipd.config.blocks import Statement
from vipd.config.model import Command
from vipd.config.track_lines import weighted
from vipd.config.values import (
    NAME_LIMIT,
    CorrectedError,
    Form,
    WrongError,
    interface_name,
    lines,
    nanoseconds,
    one,
    split_command,
    whole,
)

_VIRTUAL = (bytes.fromhex("00005e0001"), bytes.fromhex("00005e0002"))  # RFC 9568 section 7.3


def advert_int(statement: Statement) -> int:
    """An advertisement interval, down to the hundredth of a second."""
    return nanoseconds(one(statement), 0.01, 255)


def garp_extra(statement: Statement) -> int:
    """`[all] SECONDS`; keepalived reads over what follows."""
    values = [word for word in statement.values if word != "all"]
    if not values or statement.body is not None:
        raise WrongError("takes [all] SECONDS")
    return nanoseconds(values[0], 0, 86400)


def old_garp_extra(statement: Statement) -> int:
    """The same, by the keyword that keepalived calls out of date."""
    raise CorrectedError(garp_extra(statement), "is out of date; write garp_extra_if")


def vmac(statement: Statement) -> dict[str, Any]:
    """`use_vmac` and what may follow it: a name and a MAC address, in any order."""
    if statement.body is not None:
        raise WrongError("takes a name and a MAC address at most, not a block")
    fields: dict[str, Any] = {"use_vmac": True}
    for word in statement.values:
        field = "vmac_mac" if word.count(":") in (4, 5) else "vmac"
        if field in fields:
            raise WrongError(f"{word!r} is one too many; it takes a name and a MAC address at most")
        if field == "vmac_mac":
            octets = word.split(":")
            if not all(1 <= len(octet) <= 2 and set(octet.lower()) <= set("0123456789abcdef") for octet in octets):
                raise WrongError(f"{word!r} is not a MAC address")
            fields["vmac_mac"] = bytes(int(octet, 16) for octet in octets)
            if fields["vmac_mac"][0] & 1:
                raise WrongError(f"{word} is a multicast address; no interface has one")
            if fields["vmac_mac"][:5] in _VIRTUAL:
                raise WrongError(
                    f"{word} is a virtual router's own; leave it out, and it is made of the virtual_router_id"
                )
        else:
            fields["vmac"] = interface_name(word)
    return fields


def script_words(statement: Statement) -> Command:
    """The command of a `vrrp_script`."""
    return Command(split_command(one(statement)))


def weight(limit: int) -> Form:
    """A weight, with `reverse` or without."""

    def read(statement: Statement) -> dict[str, Any]:
        weight, reverse = weighted(("weight", *statement.values), limit)
        return {"weight": weight, "reverse": bool(reverse)}

    return Form(f"-{limit}-{limit} [reverse]", read)


def init_file(statement: Statement) -> dict[str, Any]:
    """The value to write into a tracked file, and whether to overwrite one that exists."""
    if statement.body is not None:
        raise WrongError("takes [VALUE] [overwrite], not a block")
    values = [whole(word, 0, 2**31) for word in statement.values if word != "overwrite"]
    return {"initial": values[-1] if values else 0, "overwrite": "overwrite" in statement.values}


def delay(statement: Statement) -> dict[str, Any]:
    """One delay for processes that start and for those that end."""
    value = nanoseconds(one(statement), 0.000001, 3600)
    return {"fork_delay_ns": value, "terminate_delay_ns": value}


def auth_pass(statement: Statement) -> bytes:
    """A password, octet for octet."""
    return one(statement).encode("utf-8", "surrogateescape")


def names(statement: Statement) -> tuple[str, ...]:
    """Names in a block, on any number of lines."""
    return tuple(word for line in lines(statement) for word in line.words)


def debounce(line: Statement) -> tuple[str, int, int]:
    """One line of `interface_up_down_delays`."""
    delays = [nanoseconds(word, 0, 255) for word in line.values[:2]] or [0]
    return interface_name(line.keyword), delays[0], delays[1] if len(delays) > 1 else 0


def umask(statement: Statement) -> int:
    """A umask as a number, or as the names of stat(2)'s bits."""
    bits = {f"I{op}{who}": bit << shift for who, shift in (("USR", 6), ("GRP", 3), ("OTH", 0))
            for op, bit in (("R", 4), ("W", 2), ("X", 1))}  # fmt: skip
    value = 0
    if not statement.values or statement.body is not None:
        raise WrongError("takes a number, or bits joined by |")
    for word in "".join(statement.values).split("|"):
        try:
            value |= bits[word] if word in bits else int(word, 8 if word.startswith("0") and word.isdigit() else 0)
        except ValueError:
            raise WrongError(f"{word!r} is neither a number nor one of {', '.join(bits)}") from None
    if value > 0o777:
        raise WrongError(f"{value:#o} is more than 0777")
    return value


def short_name(statement: Statement) -> str:
    """The name of a process; the kernel keeps 15 octets of it."""
    name = one(statement)
    if len(name) > NAME_LIMIT:
        raise CorrectedError(name[:NAME_LIMIT], f"{name!r} is cut after {NAME_LIMIT} characters; write no more")
    return name


def exactly_one(statement: Statement) -> str:
    """One word, where keepalived does not read over those that follow."""
    return one(statement)


def exact_match(statement: Statement) -> str:
    """How parameters of a process have to match: exactly, where the keyword stands alone."""
    value = one(statement) if statement.values or statement.body is not None else "exact"
    if value not in ("exact", "initial", "partial"):
        raise WrongError(f"{value!r} is not one of initial, partial")
    return value


def outdated(instead: str) -> Form:
    """A keyword that keepalived calls out of date whatever its values are."""

    def read(statement: Statement) -> None:
        raise WrongError(f"is out of date; write {instead}")

    return Form("...", read)


def global_tracking(statement: Statement) -> bool:
    """The older name of `sync_group_tracking_weight`."""
    raise CorrectedError(True, "is out of date; write sync_group_tracking_weight")


def cpus(statement: Statement) -> tuple[int, ...]:
    """Numbers of processors."""
    if not statement.values:
        raise WrongError("takes the numbers of processors")
    return tuple(whole(word, 0, 4095) for word in statement.values)


def choice_or_alone(*known: str) -> Form:
    """A keyword that stands alone or with one of a few words, and is true either way."""

    def read(statement: Statement) -> bool:
        if statement.body is not None:
            raise WrongError("takes no block")
        if statement.values and (one(statement) not in known):
            raise WrongError(f"{statement.words[1]!r} is not {' or '.join(known)}")
        return True

    return Form(f"[{'|'.join(known)}]", read, most=1)
