"""Syslog lines of a guest, in the forms of rsyslog's traditional and ISO templates; every byte of them is untrusted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NS = 1_000_000_000
_LINE = re.compile(
    r"^(?P<stamp>(?:(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)|(?P<old>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d))"
    r"(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d)?) "
    r"(?P<host>\S+) (?P<ident>[^\s:\[]+)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)$"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `time_ns` is the guest's own clock and None where the line has no stamp that can be read."""

    stamp: str
    host: str
    time_ns: int | None
    resolution_ns: int
    ident: str
    message: str
    raw: str


def read_log(data: bytes, near_ns: int) -> list[Line]:
    """Read a log file.

    Args:
        data: its bytes; what is not UTF-8 is shown as escapes.
        near_ns: a moment near which the lines were written: traditional stamps do not say the year.
    """
    lines = data.decode("utf-8", errors="backslashreplace").split("\n")
    return [_read(raw.rstrip("\r"), near_ns) for raw in lines if raw.strip()]


def _read(raw: str, near_ns: int) -> Line:
    match = _LINE.match(raw)
    if match is None:
        return Line(stamp="", host="", time_ns=None, resolution_ns=_NS, ident="", message=raw, raw=raw)
    second = _iso(match["iso"] + (match["zone"] or "Z")) if match["iso"] else _traditional(match["old"], near_ns)
    fraction = match["fraction"] or ""
    time_ns = None if second is None else second * _NS + int(fraction.ljust(9, "0"))
    return Line(
        match["stamp"], match["host"], time_ns, _NS // 10 ** len(fraction), match["ident"], match["message"], raw
    )


def _iso(stamp: str) -> int | None:
    try:
        return int(datetime.fromisoformat(stamp).timestamp())
    except (ValueError, OverflowError):
        return None


def _traditional(stamp: str, near_ns: int) -> int | None:
    """Put the year to `Sep 11 10:55:04` that brings it nearest; the guests of the lab run on UTC."""
    near = datetime.fromtimestamp(near_ns / _NS, UTC)
    try:
        month = _MONTHS.index(stamp[:3]) + 1
        hour, minute, second = (int(part) for part in stamp[7:].split(":"))
        first = [datetime(near.year + year, month, 1, hour, minute, second, tzinfo=UTC) for year in (-1, 0, 1)]
        moments = [moment + timedelta(days=int(stamp[4:6]) - 1) for moment in first]
    except ValueError:
        return None
    return int(min(moments, key=lambda moment: abs(moment - near)).timestamp())
