"""Numbers as people read them: a unit on each, three or four digits, a real minus sign; None stays None."""

from __future__ import annotations

from statistics import median

from viplab.analysis.summary import Fault
from viplab.metrics import Metric

NOT_MEASURED = "not measured"
_SPACE = "\u00a0"
_MINUS = "\u2212"


def seconds(value: float | None) -> str | None:
    """A duration in the unit that suits its size: `3.606 s`, `605 ms`, `20.1 ms`, `42 µs`; `0 s` is a measured zero."""
    if value is None:
        return None
    size = abs(value)
    sign = _MINUS if value < 0 else ""
    if size < 0.5e-6:
        return f"0{_SPACE}s"
    if size < 0.9995e-3:
        return f"{sign}{size * 1e6:.0f}{_SPACE}µs"
    if size < 0.9995:
        return f"{sign}{_digits(size * 1e3, 3)}{_SPACE}ms"
    return f"{sign}{_digits(size, 4)}{_SPACE}s"


def within_fault(value: float | None, metric: Metric, fault: Fault | None) -> str | None:
    """A duration that begins or ends at a fault, as far as the fault is dated: `942 ms, up to 350 ms more`."""
    known = seconds(value)
    if known is None or fault is None or metric.from_fault is None:
        return known
    sooner, later = ((fault.at_ns - fault.earliest_ns) / 1e9, (fault.latest_ns - fault.at_ns) / 1e9)
    less, more = (later, sooner) if metric.from_fault == "begins" else (sooner, later)
    # Half a millisecond and less is below what a page tells apart.
    said = [f"up to {seconds(by)} {word}" for by, word in ((less, "less"), (more, "more")) if by > 0.5e-3]
    return f"{known}, {' or '.join(said)}" if said else known


def moment(value: float | None, digits: int = 3) -> str | None:
    """A moment on the trial's axis, always in seconds with a sign: `+3.606`, `−0.412`."""
    if value is None:
        return None
    rounded = round(value, digits)
    sign = _MINUS if rounded < 0 else "+" if rounded > 0 else ""
    return f"{sign}{abs(rounded):.{digits}f}"


def milliseconds(value: float | None) -> str | None:
    """A round-trip time as ping prints it, in milliseconds: `0.336 ms`, `20.1 ms`."""
    return None if value is None else f"{_digits(value, 3)}{_SPACE}ms"


def span(bounds: tuple[float, float] | None) -> str | None:
    """A range of durations in one unit, that of its upper end: `2.605 to 3.605 s`, `0 to 1 ms`."""
    if bounds is None:
        return None
    low, high = bounds
    if low == high:
        return seconds(high)
    for factor, unit, places in ((1.0, "s", 3), (1e3, "ms", 1), (1e6, "µs", 0)):
        if abs(high) * factor >= 0.9995 or unit == "µs":
            ends = [_trim(f"{end * factor:.{places}f}").replace("-", _MINUS) for end in (low, high)]
            return f"{ends[0]} to {ends[1]}{_SPACE}{unit}"
    raise AssertionError("unreachable: microseconds take all that is left")


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 trial`, `3 trials`."""
    return f"{number}{_SPACE}{one if number == 1 else many or one + 's'}"


def sample(values: list[float | None]) -> tuple[str | None, str]:
    """Several trials' durations as their median, and in small print n and range; one alone needs no small print."""
    measured = [value for value in values if value is not None]
    if not measured:
        return None, ""
    if len(values) == 1:
        return seconds(measured[0]), ""
    of = f"n{_SPACE}={_SPACE}{len(measured)}" + ("" if len(measured) == len(values) else f" of {len(values)}")
    if len(measured) == 1:
        return seconds(measured[0]), of
    low, high = min(measured), max(measured)
    return seconds(median(measured)), of if low == high else f"{of}\n{span((low, high))}"


def change(value: float | None) -> str | None:
    """A difference of durations, with its sign."""
    shown = seconds(value)
    return f"+{shown}" if shown and value is not None and value > 0 and not shown.startswith("0") else shown


def _digits(size: float, significant: int) -> str:
    """At most `significant` digits, and never more than three decimals."""
    whole = len(str(int(size))) if size >= 1 else 0
    return f"{size:.{max(0, min(3, significant - whole))}f}"


def _trim(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
