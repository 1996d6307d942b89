"""A run as Markdown, to be pasted into an issue or a wiki: what happened, and every claim that was not just reproduced.

What a guest wrote may be in a reason or a measurement, so each string is escaped: it makes no markup, no link, and
mentions nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import RunView
from viplab.report import outline, overview, units
from viplab.report.text import visible

_ACTIVE = re.compile(r"([\\`*_\[\]<>#|~$])")
_SUMMONS = re.compile(r"(@|#(?=\d)|\b(?=www\.|https?:))")
_WORDS = {
    "reproduced": "✓ reproduced",
    "explained": "≈ differs, explained",
    "failed": "✗ failed",
    "undecided": "? undecided",
    "inapplicable": "– does not apply",
}
CELL = 300
"""Characters of one table cell; the report has them all."""


def markdown(view: RunView) -> str:
    """The run's result, its cases, and the claims that differ or are undecided."""
    provenance, names = view.info.provenance, outline.short_names(view)
    lines = [
        f"## Who answers under the virtual IP? Run {escape(view.info.id)}",
        overview.headline(view),
        f"Started {escape(view.info.started)}, accelerator {escape(provenance.accel or 'none')}, "
        f"viplab {escape(provenance.git or 'of no known commit')}.",
    ]
    lines += [f"- {escape(note)}" for note in view.notes]
    if view.trials:
        lines.append(
            table(
                ["Case", "Subject", *(metric.title for metric in overview.glance().values()), "Pings lost", "Trials"],
                list(_cases(view, names)),
            )
        )
    open_claims = [claim for claim in view.claims if claim.verdict != "reproduced"]
    if open_claims:
        lines.append("### Claims of the article that were not simply reproduced")
        lines.append(table(["", "Subject", "Verdict", "Measured", "Why"], [_claim(c, names) for c in open_claims]))
    return "\n\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Untrusted text as Markdown that shows it and does nothing else."""
    shown = _ACTIVE.sub(r"\\\1", visible(text, CELL).replace("\n", " ").replace("\t", " ").replace("&", "&amp;"))
    return _SUMMONS.sub("\\1&#8203;", shown)


def _cases(view: RunView, names: dict[outline.Subject, str]) -> Iterator[list[str]]:
    for chapter in outline.chapters(view):
        for case in chapter.cases:
            for block in overview.blocks(case):
                for row in block.rows:
                    title = f"then: {escape(block.words or '')}" if block.number else escape(case.title)
                    verdicts = overview.verdict_counts(row.group.trials)
                    tried = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
                    yield [title, escape(names[row.group.subject]), *_metrics(row), "" if block.number else tried]


def _metrics(row: overview.Row) -> list[str]:
    if row.fault is None:
        return [*("" for _ in overview.glance()), row.pings or units.NOT_MEASURED]
    return [*(row.instead(name) or _sample(row, name) for name in overview.glance()), row.pings or "\u2013"]


def _sample(row: overview.Row, name: str) -> str:
    value, detail = overview.sample(row.metrics, name)
    return (value or units.NOT_MEASURED) + (f" ({', '.join(detail.splitlines())})" if detail else "")


def _claim(claim: ClaimResult, names: dict[outline.Subject, str]) -> list[str]:
    verdict = _WORDS[outline.verdict(claim)]
    subject = names[outline.Subject(claim.subject, claim.profile)]
    return [claim.id, escape(subject), verdict, escape(claim.measured), escape(claim.why)]


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
