"""Write the table of keywords as Markdown; docs/vipd.md has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vipd.config.behaviour import SECOND_NS
from vipd.config.keywords import BLOCKS, LVS, REFUSED, Keyword
from vipd.config.model import Globals, RouterConfig, Script, SyncGroup, TrackFile, TrackProcess

_MAKES: dict[str, Any] = {
    "global_defs": Globals,
    "vrrp_instance": RouterConfig,
    "vrrp_script": Script,
    "vrrp_sync_group": SyncGroup,
    "track_file": TrackFile,
    "vrrp_track_process": TrackProcess,
}


def keywords() -> str:
    """Every keyword by its block, with its values and its default."""
    lines: list[str] = []
    for block, members in BLOCKS.items():
        lines += [
            "",
            f"### {f'In `{block}`' if block else 'At the top'}",
            "",
            "| keyword | value | default |",
            "|---|---|---|",
        ]
        lines += [_row(block, keyword) for keyword in members.values() if keyword.to]
        ignored = [keyword for keyword in members.values() if not keyword.to]
        if ignored:
            lines += ["", *_ignored(ignored)]
    lines += ["", "### Refused", ""]
    lines += [f"- `{name}`: LVS." for name in sorted(LVS)]
    lines += [f"- `{name}`: {why}." for (_, name), why in REFUSED.items()]
    return "\n".join(lines)


def _row(block: str, keyword: Keyword) -> str:
    shown = keyword.form.text.replace("|", "\\|") if keyword.to != "block" else "{ ... }"
    return f"| `{keyword.name}` | {shown} | {_default(block, keyword.to)} |"


def _default(block: str, to: str) -> str:
    scope, _, field = to.rpartition(".")
    defaults = (RouterConfig if scope == "router" else _MAKES.get(block, Globals))._field_defaults
    value = defaults.get(field)
    if scope == "hook" or field not in defaults or value in (None, "", (), b""):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value / SECOND_NS:g}" if field.endswith("_ns") else str(value)


def _ignored(keywords: list[Keyword]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for keyword in keywords:
        reasons.setdefault(keyword.note, []).append(f"`{keyword.name}`")
    yield "Accepted with a warning, and without effect:"
    yield ""
    for why, names in reasons.items():
        yield f"- {', '.join(names)}: {why}."
