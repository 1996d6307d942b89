"""What an application saw over HTTP, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from viplab.analysis.summary import Application, FaultSummary, KeptConnection, KeptConnections
from viplab.analysis.views import TrialView
from viplab.report import units

_BROKEN = {
    "closed": "closed by the other end",
    "unreachable": "broken (no route)",
    "timeout": "given up by the kernel",
    "garbled": "answered by something else",
    "failed": "broken",
}


def of(trial: TrialView) -> Application | None:
    """What it saw of the headline fault; None where it was not asked for."""
    return trial.summary.faults[0].http if trial.summary.faults else None


def sentences(fault: FaultSummary) -> Iterator[str]:
    """What it saw of one fault; nothing where it was not asked for."""
    if (seen := fault.http) is None:
        return
    asked = f"Of {units.count(seen.requests, 'HTTP request')} over new connections"
    slow = f"; {seen.slow} took over 0.2 s" if seen.slow else ""
    if not seen.failed:
        yield f"{asked} none failed{slow}."
    else:
        gone = units.seconds(fault.http_outage_s)
        within = units.seconds(seen.interval_s)
        lasted = f"for {gone} (± {within})" if gone else "to the end, or not for long enough to tell"
        yield f"{asked} {seen.failed} failed ({errors(seen)}){slow}: the application went without an answer {lasted}."
    if seen.several is not None:
        yield f"Of the connections that it kept open: {several(seen.several)}."
    elif seen.kept is None:
        yield "The connection that it had kept open was broken before this."
    else:
        yield f"The connection that it kept open: {fate(seen.kept)}."


def errors(seen: Application) -> str:
    """How the failed requests failed, such as `32 timeout, 1 reset`."""
    return ", ".join(f"{number} {error}" for error, number in seen.errors.items())


def fate(kept: KeptConnection) -> str:
    """What became of the connection that was kept open."""
    waited = units.seconds(kept.waited_s)
    if kept.fate == "kept":
        return f"kept, longest wait for an answer {waited}"
    if kept.fate == "hung":
        return f"hung, {waited} without an answer when the trial ended"
    return f"{_BROKEN.get(kept.error or '', kept.error)} {units.seconds(kept.after_s)} after the fault"


def several(kept: KeptConnections) -> str:
    """What became of several, such as `18 reset, 2 hung of 20; half knew it 1.2 s after the fault, the last 2.5 s`."""
    counted = ", ".join(f"{number} {word}" for word, number in kept.fates.items())
    said = f"{counted} of {kept.connections}" if kept.connections else "none was open"
    if kept.noticed is None:
        return said
    median, last = units.seconds(kept.noticed.median_s), units.seconds(kept.noticed.max_s)
    return f"{said}; half knew it {median} after the fault, the last {last}"


def fates(trials: Sequence[TrialView]) -> str | None:
    """The same over several trials, such as `reset: 3 of 4, 6.2 to 6.4 s after the fault; hung: 1 of 4`."""
    kept = [seen.kept for trial in trials if (seen := of(trial)) and seen.kept]
    if len(kept) < 2:
        return fate(kept[0]) if kept else None
    words: dict[str, list[float]] = {}
    for one in kept:
        after = words.setdefault(one.error or one.fate, [])
        if one.after_s is not None:
            after.append(one.after_s)
    count = {word: sum((one.error or one.fate) == word for one in kept) for word in words}
    return "; ".join(
        f"{word}: {count[word]} of {len(kept)}"
        + (f", {units.span((min(after), max(after)))} after the fault" if after else "")
        for word, after in sorted(words.items())
    )
