"""Reads lines in the form of `ip route`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vipd.config.blocks import Statement
from vipd.config.encap_words import encap
from vipd.config.iproute_names import PROTOCOL, SCOPE, TABLE, TOS, Names
from vipd.config.model import Hop, Route
from vipd.config.values import CorrectedError, Words, WrongError, instead, interface_name, ip_address, natural, network

OWN_PROTOCOL = 18  # RTPROT_KEEPALIVED
KINDS = {
    "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6, "unreachable": 7,
    "prohibit": 8, "throw": 9, "nat": 10, "xresolve": 11,
}  # fmt: skip
PREFERENCES = {"medium": 0, "high": 1, "low": 3}  # RFC 4191
METRICS = {
    "mtu": 2, "window": 3, "rtt": 4, "rttvar": 5, "ssthresh": 6, "cwnd": 7, "advmss": 8, "reordering": 9,
    "hoplimit": 10, "initcwnd": 11, "rto_min": 13, "initrwnd": 14, "quickack": 15, "fastopen_no_cookie": 17,
}  # fmt: skip
LOCK, FEATURES = 1, 12  # RTAX_LOCK has a bit for each metric that is locked
CONGESTION_CONTROL = 16
_ECN = 1
_LOCKED = {"mtu", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering", "rto_min"}
_SCALES = {"rtt": 8, "rttvar": 4, "rto_min": 1}  # the kernel's units in a millisecond
_LIMITS = {"hoplimit": 255, "quickack": 1, "fastopen_no_cookie": 1}
_FAMILIES = {"inet": 4, "inet6": 6}


def up_to(word: str, high: int, what: str) -> int:
    """A number that is not negative, in any of C's notations."""
    number = natural(word)
    if number is None or number > high:
        raise WrongError(f"{what} {word!r} is not a number up to {high}")
    return number


def route(line: Statement, names: Names) -> Route:
    """The same for a line of an instance."""
    if "track_group" in line.words:
        raise WrongError("'track_group' is for static addresses, routes and rules alone; remove it")
    return static_route(line, names)


def static_route(line: Statement, names: Names) -> Route:
    """`[blackhole|...] [to] NETWORK [via ADDRESS] [dev IFACE] [src ADDRESS] [table TABLE] [nexthop ...] ...`."""
    return _Reader(line, names).route()


class _Reader:
    """Reads one line word by word; the family is known with the first word that has one."""

    def __init__(self, line: Statement, names: Names) -> None:
        self._words = Words(line.words)
        self._names = names
        self._family: int | None = None
        self._fields: dict[str, Any] = {}
        self._metrics: dict[int, int] = {}
        self._locks = 0
        self._hops: list[dict[str, Any]] = [{}]
        self._notes: list[str] = []

    def route(self) -> Route:
        rest = self._words
        for word in rest:
            if word == "nexthop":
                self._hops.append({})
                self._next_hops(rest)
            else:
                self._word(word, rest)
        destination = self._fields.get("destination")
        if destination is None:
            raise WrongError("this route has no destination; write one, such as 10.1.0.0/16 or default")
        if destination == "default":
            self._fields["destination"] = "::/0" if self._family == 6 else "0.0.0.0/0"
        hops = tuple(Hop(**hop) for hop in self._hops if hop)
        if any(hop.via is None and hop.device is None for hop in hops):
            raise WrongError(f"a next hop of {destination} has neither via nor dev")
        self._track(hops, destination)
        if self._locks:
            self._metrics[LOCK] = self._locks
        made = Route(hops=hops, metrics=tuple(sorted(self._metrics.items())), **self._fields)
        if self._notes:
            raise CorrectedError(made, "; ".join(self._notes))
        return made

    def _word(self, word: str, rest: Words) -> None:
        fields = self._fields
        if word in _FAMILIES:
            self._is(_FAMILIES[word])
        elif word in _OPTIONS:
            field, read = _OPTIONS[word]
            fields[field] = read(rest.after("the route"), self._names)
            if field in ("preference", "expires", "realms"):
                self._is(4 if field == "realms" else 6)
        elif word in ("src", "from"):
            self._source(word, rest.after("the route"))
        elif word in METRICS:
            self._metric(word, rest)
        elif word in ("features", "congctl", "ttl-propagate"):
            self._named(word, rest)
        elif word == "or":
            self._notes.append("'or' is written 'nexthop via' today")
            self._hops.append({"via": self._gateway(rest.after("the route"), rest)})
        elif word in ("append", "prepend", "add"):
            fields["append"] = word == "append"
        elif word == "no_track":
            fields["tracked"] = False
        elif word == "track_group":
            next(rest, None)
        elif not self._hop(word, rest):
            self._destination(word, rest)

    def _next_hops(self, rest: Words) -> None:
        for word in rest:
            if word == "nexthop":
                self._hops.append({})
            elif word == "realms":
                self._hops[-1]["realms"] = self._names.realms(rest.after("the next hop"))
            elif word == "weight":
                weight = up_to(rest.after("the next hop"), 256, word)
                if not weight:
                    raise WrongError("weight 0 is no weight; write 1 to 256")
                self._hops[-1]["weight"] = weight
            elif not self._hop(word, rest):
                known = ["via", "dev", "weight", "onlink", "realms"]
                raise WrongError(f"{word!r} is not known in a next hop; {instead(word, known)}")

    def _hop(self, word: str, rest: Words) -> bool:
        """Read a word of a next hop, which may be the only one; whether it is one."""
        hop = self._hops[-1]
        if word in ("via", "gw"):
            if word == "gw":
                self._notes.append("'gw' is written 'via' today")
            hop["via"] = self._gateway(rest.after("the route"), rest)
        elif word in ("dev", "oif"):
            hop["device"] = interface_name(rest.after("the route"))
        elif word == "onlink":
            hop["onlink"] = True
        elif word == "encap":
            hop["encap"] = encap(rest, self._names)
        else:
            return False
        return True

    def _gateway(self, word: str, rest: Words) -> str:
        """An address, which need not be of the route's family where its own is written before it."""
        if word in _FAMILIES:
            address = ip_address(rest.after("via"))
            if (":" in address) != (_FAMILIES[word] == 6):
                raise WrongError(f"{address} is not of {word}")
        else:
            address = ip_address(word)
            self._is(6 if ":" in address else 4)
        return address

    def _source(self, word: str, value: str) -> None:
        if word == "src":
            self._fields["source"] = ip_address(value)
            self._is(6 if ":" in value else 4)
        else:
            self._fields["from_network"] = network(value)
            if ":" not in value:
                raise WrongError(f"from {value}: only routes of IPv6 ask where a packet is from")
            self._is(6)

    def _metric(self, word: str, rest: Words) -> None:
        value = rest.after("the route")
        if value == "lock" and word in _LOCKED:
            value = rest.after("the route")
            self._locks |= 1 << METRICS[word]
        number = _time(word, value) if word in _SCALES else up_to(value, _LIMITS.get(word, 0xFFFFFFFF), word)
        self._metrics[METRICS[word]] = number

    def _named(self, word: str, rest: Words) -> None:
        value = rest.after("the route")
        if word == "features":
            if value != "ecn":
                raise WrongError(f"there is no feature {value!r}, but ecn")
            self._metrics[FEATURES] = _ECN
        elif word == "congctl":
            if value == "lock":
                value = rest.after("the route")
                self._locks |= 1 << CONGESTION_CONTROL
            self._fields["congestion_control"] = value
        elif value not in ("enabled", "disabled"):
            raise WrongError(f"ttl-propagate is enabled or disabled, not {value!r}")
        else:
            self._fields["ttl_propagate"] = value == "enabled"

    def _destination(self, word: str, rest: Words) -> None:
        if word == "to":
            word = rest.after("the route")
        if word in KINDS:
            self._fields["kind"] = KINDS[word]
            word = rest.after("the route")
        if word in ("default", "any", "all", "default6"):
            if word == "default6":
                self._is(6)
            self._fields["destination"] = "default"
            return
        if not (word[:1].isdigit() or ":" in word):
            known = [*_OPTIONS, *METRICS, "via", "dev", "nexthop", "src"]
            raise WrongError(f"{word!r} is not known in a route; {instead(word, known)}")
        self._fields["destination"] = network(word)
        self._is(6 if ":" in word else 4)

    def _is(self, family: int) -> None:
        if self._family not in (None, family):
            raise WrongError(f"it is of IPv{self._family}, and something in it of IPv{family}; a route has one family")
        self._family = family

    def _track(self, hops: tuple[Hop, ...], destination: str) -> None:
        if not self._fields.get("tracked", True):
            return
        if self._fields.get("protocol", OWN_PROTOCOL) != OWN_PROTOCOL:
            self._notes.append(
                "its protocol is keepalived's, as of all routes that are tracked; add no_track to keep it"
            )
            del self._fields["protocol"]
        if len(hops) != 1 or hops[0].device is None:
            self._notes.append(f"a route to {destination} without dev is not tracked; add dev IFACE, or no_track")
            self._fields["tracked"] = False


def _time(word: str, value: str) -> int:
    """A time in the kernel's own units, which it is in already where no unit stands behind it."""
    digits = value.rstrip("smec")
    unit = value[len(digits) :]
    number = natural(digits)
    if number is None:
        try:
            number = -int(-float(digits) // 1) if digits.replace(".", "", 1).isdigit() and digits.isascii() else None
        except ValueError:
            number = None
    if number is None or unit not in ("", "s", "sec", "secs", "ms", "msec", "msecs") or number > 0xFFFFFFFF // 1000:
        raise WrongError(f"{word} {value!r} is not a time, such as 100ms or 2s")
    milliseconds = number if unit.startswith("m") else number * 1000
    return milliseconds * _SCALES[word] if unit else number


_OPTIONS: dict[str, tuple[str, Callable[[str, Names], Any]]] = {
    "table": ("table", lambda word, names: names.number(TABLE, word)),
    "metric": ("metric", lambda word, names: up_to(word, 0xFFFFFFFF, "metric")),
    "priority": ("metric", lambda word, names: up_to(word, 0xFFFFFFFF, "metric")),
    "preference": ("metric", lambda word, names: up_to(word, 0xFFFFFFFF, "metric")),
    "scope": ("scope", lambda word, names: names.number(SCOPE, word)),
    "protocol": ("protocol", lambda word, names: names.number(PROTOCOL, word)),
    "tos": ("tos", lambda word, names: names.number(TOS, word)),
    "dsfield": ("tos", lambda word, names: names.number(TOS, word)),
    "realms": ("realms", lambda word, names: names.realms(word)),
    "expires": ("expires", lambda word, names: up_to(word, 0xFFFFFFFF, "expires")),
    "pref": ("preference", lambda word, names: PREFERENCES[word] if word in PREFERENCES else up_to(word, 255, "pref")),
}
