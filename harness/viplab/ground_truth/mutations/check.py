"""Who notices a mutation: a good trial is copied, changed, analysed, and held against what it was."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from viplab.analysis.fault_view import fault_view
from viplab.analysis.reading import read_trial
from viplab.analysis.record import Record
from viplab.analysis.summary import FaultSummary, PingSummary
from viplab.analysis.verdict import UNDECIDED
from viplab.analysis.views import FaultView
from viplab.analysis.witnesses import WITNESSES
from viplab.errors import InputError
from viplab.ground_truth.mutations import MUTATIONS
from viplab.ground_truth.mutations.mutation import Mutation
from viplab.metrics import METRICS
from viplab.run_folder import TrialFolder

NOT_NOTICED = "**not noticed**"
NO_SUCH = "-"
NOTHING = "nothing moves"
# By what a metric may differ and be the same, in seconds; docs/method.md says why. Where it depends on the trial:
# the fault's own uncertainty, or two intervals of the stream at the ends of a loss run.
_WITNESSED_S = {"deadline_excess_s": 0.05, "announce_s": 0.05, "client_switch_s": 0.02, "dual_owner_s": 0.5}
_BY_FAULT = frozenset({"x_s", "detection_s"})
_BY_BOTH = frozenset({"failover_s", "reversion_s", "recovered_s"})
_NAMES = {witness.rule: witness.name for witness in WITNESSES}


@dataclass(frozen=True, slots=True)
class Whole:
    """A trial as it was measured, to compare with."""

    folder: TrialFolder
    faults: list[FaultSummary]
    ping: PingSummary | None


def whole(folder: TrialFolder) -> Whole:
    """A good trial, analysed."""
    record = read_trial(folder)
    return Whole(folder, [view.summary for view in _views(record)], record.ping.summary if record.ping else None)


def _views(record: Record) -> list[FaultView]:
    return [fault_view(record, fault, until_ns, fault.at_ns) for fault, until_ns in record.windows()]


def who_notices(mutation: Mutation, good: Whole) -> str:
    """The rule that makes the changed trial undecided; else what is to be said of it instead."""
    with TemporaryDirectory() as root:
        path = Path(root) / good.folder.name
        shutil.copytree(good.folder.path, path)
        mutation.change(TrialFolder(path))
        if _bytes(path) == _bytes(good.folder.path):
            return NO_SUCH
        try:
            record = read_trial(TrialFolder(path))
        except InputError:
            return "not read"
    views = _views(record)
    for rule in UNDECIDED:
        if rule(record, views):
            return _NAMES.get(rule, rule.__name__.strip("_").replace("_", " "))
    moved = _moved(good, [view.summary for view in views], record.ping.summary if record.ping else None)
    return NOT_NOTICED if moved else NOTHING


def _moved(good: Whole, faults: list[FaultSummary], ping: PingSummary | None) -> bool:
    """Whether a metric is gone, new, or further off than it is uncertain."""
    if len(good.faults) != len(faults) or ping != good.ping:
        return True
    pairs = zip(good.faults, faults, strict=True)
    return any(_apart(name, before, after) for before, after in pairs for name in METRICS)


def _apart(name: str, before: FaultSummary, after: FaultSummary) -> bool:
    one, other = getattr(before, name), getattr(after, name)
    if one is None or other is None or isinstance(one, str):
        return bool(one != other)
    return bool(abs(one - other) > _uncertainty(name, before))


def _uncertainty(name: str, summary: FaultSummary) -> float:
    fault_s, interval_s = summary.fault.width_ns / 1e9, _interval_s(summary)
    if name in _BY_FAULT:
        return fault_s + 0.03
    if name in _BY_BOTH:
        return fault_s + 2 * interval_s
    if name.startswith("outage"):
        return 2 * interval_s * max(1, len(summary.loss_runs))
    if name == "http_outage_s":
        return 2 * summary.http.interval_s if summary.http else 0.0
    return _WITNESSED_S.get(name, 2.0 if name == "lost" else 1e-6)


def _interval_s(summary: FaultSummary) -> float:
    lost, by_loss_s = summary.lost, summary.outage_loss_s
    return by_loss_s / lost if lost and by_loss_s else 0.02


def _bytes(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def table(good: Sequence[Whole]) -> str:
    """All mutations of some trials as a table of Markdown: a column for each trial."""
    head = ("changed", "how", *(one.folder.name for one in good))
    rows = [(m.part, m.name, *(who_notices(m, one) for one in good)) for m in MUTATIONS]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *rows))
