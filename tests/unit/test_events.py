"""The events of a timeline: what is written, what is documented and what is read are the same."""

from __future__ import annotations

import re
from pathlib import Path

import viplab
from viplab.types import KEYS, Event

SOURCES = {path: path.read_text(encoding="utf-8") for path in Path(viplab.__file__ or "").parent.rglob("*.py")}
WRITTEN = r"\.record\(\s*\"(\w+)\""
# A prober writes the events of its own name.
PROBERS = {f"{name}_{end}" for name in ("probe", "http") for end in ("started", "stopped")}
READ = (
    r"\b(?:record|self)\.all\(\"(\w+)\"",
    r"\bevent\.event == \"(\w+)\"",
    r"def _on_(\w+)\(self, event: dict",
)
DOCUMENTED = set(re.findall(r"^    (\w+)  +\S", Event.__doc__ or "", re.MULTILINE)) - {"event"}


def found(*patterns: str) -> set[str]:
    return {name for pattern in patterns for source in SOURCES.values() for name in re.findall(pattern, source)}


def test_every_event_that_is_written_is_documented_and_every_documented_one_is_written() -> None:
    assert found(WRITTEN) | PROBERS == DOCUMENTED


def test_no_event_is_read_that_nothing_writes() -> None:
    read = found(*READ)
    assert {"daemon_started", "fault_injected", "step_started"} <= read, "the patterns find how events are read"
    assert read | set(KEYS) <= DOCUMENTED
