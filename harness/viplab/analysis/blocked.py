"""What SELinux and a firewall on a host refused during a trial, by what host and kernel logged of it.

SELinux's denials are audit records, in the audit log, or in the kernel's where there is no auditd. firewalld, told to
log what it denies, and ufw write a line of the kernel's log for each packet, as many as its rate limit lets through.
Every byte of them is untrusted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_MOST = 20
"""Sentences; a host that is refused something new all the time need not fill a report."""
_LONGEST = 2048
"""Characters of a line that are read."""
_AVC = re.compile(r"avc:\s+denied\s+\{(?P<rights>[^}]*)\} for (?P<rest>.*)")
_FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')
_REFUSED = re.compile(r"(?:_(?:REJECT|DROP): ?|\[UFW (?:LIMIT )?BLOCK\] )IN=(?P<interface>\S*) (?P<rest>.*)")
_PROTOCOLS = {"112": "VRRP", "51": "AH", "2": "IGMP"}


def blocked(lines: Iterable[str]) -> list[str]:
    """What these lines say was refused, a clause for each thing, with how often."""
    read = (line[:_LONGEST] for line in lines)
    seen = Counter(said for line in read if (said := _denial(line) or _packet(line)))
    told = [what if times == 1 else f"{what} ({times} times)" for what, times in seen.most_common(_MOST)]
    if len(seen) > _MOST:
        told.append(f"and {len(seen) - _MOST} things more were refused")
    return told


def _denial(line: str) -> str | None:
    match = _AVC.search(line)
    if match is None:
        return None
    fields = {key: value.strip('"') for key, value in _FIELD.findall(match["rest"])}
    target = fields.get("path") or fields.get("name") or fields.get("dest") or fields.get("capability")
    what = f"{fields.get('tclass', 'something')} {target}" if target else fields.get("tclass", "something")
    verb = "would deny" if fields.get("permissive") == "1" else "denied"
    return f"SELinux {verb} {fields.get('comm', 'a process')} {{{match['rights']}}} of {what}"


def _packet(line: str) -> str | None:
    match = _REFUSED.search(line)
    if match is None:
        return None
    fields = dict(_FIELD.findall(match["rest"]))
    protocol = _PROTOCOLS.get(fields.get("PROTO", ""), fields.get("PROTO", "a packet"))
    port = f" port {fields['DPT']}" if "DPT" in fields else ""
    ends = f"from {fields.get('SRC', 'nobody')} to {fields.get('DST', 'nobody')}"
    return f"the firewall refused {protocol}{port} {ends} on {match['interface'] or 'no card'}"
