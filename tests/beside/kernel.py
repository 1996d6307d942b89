"""What a daemon's kernel holds, as lines that can be compared: addresses, routes, rules, links."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

_LIFETIMES = re.compile(r" (valid_lft|preferred_lft) (forever|[1-9]\d*sec)| expires \d+sec")
_ASKED = "addr show\nroute show table all\nrule show\n"
# They follow from addresses and links, which are compared themselves.
_MADE_BY_THE_KERNEL = re.compile(r"^(multicast|anycast) |proto kernel")


def snapshot() -> dict[str, Any]:
    """Every address, route, rule and link of the daemon's namespace, and `names` of MAC addresses."""
    texts = [_ip("-o", f"-{family}", "-batch", "-", given=_ASKED) for family in (4, 6)]
    links = json.loads(_ip("-d", "-j", "link") or "[]")
    addresses, routes, rules = [], [], []
    for line in "".join(texts).splitlines():
        if re.match(r"\d+: +\S+ +inet", line):
            addresses.append(_address(line))
        elif re.match(r"\d+:\t", line):
            rules.append(" ".join(line.split()))
        elif not _MADE_BY_THE_KERNEL.search(line):
            routes.append(_route(line))
    return {
        "addresses": addresses, "routes": sorted(routes), "rules": rules,
        "links": sorted(_link(one) for one in links if one["ifname"] != "lo"),
        "names": {one["address"]: one["ifname"] for one in links if one.get("address")},
    }  # fmt: skip


def _ip(*arguments: str, given: str = "") -> str:
    command = ["ip", "-n", "host", *arguments]
    return subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=False).stdout


def _address(line: str) -> str:
    text = _LIFETIMES.sub("", re.sub(r"^\d+: ", "", line)).replace("\\", "")
    return " ".join(text.split())


def _route(line: str) -> str:
    return " ".join(_LIFETIMES.sub("", line).split())


def _link(one: dict[str, Any]) -> str:
    info = one.get("linkinfo", {})
    kind = info.get("info_kind", "")
    mode = info.get("info_data", {}).get("mode", "") if kind == "macvlan" else ""
    under = f" on {one['link']}" if kind == "macvlan" else ""
    flags = [flag for flag in ("UP", "LOWER_UP") if flag in one["flags"]]
    generated = one.get("inet6_addr_gen_mode", "")
    mac = f" mac {one.get('address')} mtu {one.get('mtu')} addrgen {generated}"
    return " ".join(f"{one['ifname']} {kind} {mode}{under} {' '.join(flags)}{mac}".split())
