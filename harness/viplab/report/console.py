"""What a terminal shows of a run: a row a trial, then how the claims fared and which of them differ."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import RunView, TrialView
from viplab.metrics import Shown, shown_in
from viplab.report import outline, units
from viplab.report.text import visible

WIDTH = 100
MEASURED = 180
"""Characters of what was measured for a claim; the report has it in full."""
_STYLE = {
    "pass": "green",
    "reproduced": "green",
    "explained": "yellow",
    "fail": "bold red",
    "failed": "bold red",
    "undecided": "magenta",
    "inapplicable": "dim",
}
_WORDS = {
    "reproduced": "reproduced",
    "explained": "differ (explained)",
    "failed": "failed",
    "undecided": "undecided",
    "inapplicable": "does not apply",
}


def summary_table(view: RunView) -> RenderableType:
    """Trials, tally of the claims, and each claim that was not just reproduced with its reason, in 100 columns."""
    names = outline.short_names(view)
    parts: list[RenderableType] = [
        _trials(view.trials, names) if view.trials else Text("This run holds no trial.", style="magenta")
    ]
    parts += [Text(visible(note), style="magenta") for note in view.notes]
    parts += [_reason(trial) for trial in view.trials if trial.summary.verdict != "pass"]
    if view.claims:
        parts += [Text(), _tally(view, names)]
        parts += [_claim(claim, names) for claim in view.claims if claim.verdict != "reproduced"]
    return Group(*parts)


def _trials(trials: list[TrialView], names: dict[outline.Subject, str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), width=WIDTH)
    table.add_column("scenario", overflow="fold", ratio=1)
    table.add_column("subject", overflow="fold", max_width=16)
    table.add_column("verdict", no_wrap=True)
    for heading in (*(metric.short for metric in shown_in(Shown.GLANCE).values()), "lost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for trial in trials:
        summary, ping = trial.summary, trial.summary.ping
        number = f" #{trial.info.trial}" if trial.info.trial > 1 else ""
        table.add_row(
            Text(visible(f"{trial.info.scenario}{number}", 40)),
            Text(visible(names[outline.Subject(trial.info.subject, trial.info.profile)], 40)),
            Text(summary.verdict, style=_STYLE[summary.verdict]),
            *(_duration(getattr(summary, name)) for name in shown_in(Shown.GLANCE)),
            Text(f"{len(ping.lost_seqs)} of {ping.sent}") if ping else _duration(None),
        )
    return table


def _duration(value: float | None) -> Text:
    """A dash stands for what was not measured; a measured zero is `0 s`."""
    return Text("\u2013", style="dim") if value is None else Text(units.seconds(value) or "")


def _reason(trial: TrialView) -> RenderableType:
    name = Text(visible(trial.name, 60), style=_STYLE[trial.summary.verdict])
    return Group(name, Padding(Text(visible(trial.summary.reason)), (0, 0, 0, 4)))


def _tally(view: RunView, names: dict[outline.Subject, str]) -> Text:
    text = Text()
    subjects = list(dict.fromkeys(outline.Subject(claim.subject, claim.profile) for claim in view.claims))
    for subject in subjects:
        counts = outline.tally(view, subject)
        text.append(f"claims, {visible(names[subject], 40)}: ")
        for position, name in enumerate(name for name in outline.VERDICTS if counts[name]):
            text.append(", " if position else "")
            text.append(f"{counts[name]} {_WORDS[name]}", style=_STYLE[name])
        text.append("\n")
    text.rstrip()
    return text


def _claim(claim: ClaimResult, names: dict[outline.Subject, str]) -> RenderableType:
    found = outline.verdict(claim)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=3, style="bold")
    grid.add_column(overflow="fold")
    name = visible(names[outline.Subject(claim.subject, claim.profile)], 40)
    verdict = (_WORDS[found].replace("differ", "differs"), _STYLE[found])
    grid.add_row(claim.id, Text.assemble(verdict, f" ({name}): {visible(claim.measured, MEASURED)}"))
    grid.add_row("", Text(visible(claim.why), style="dim"))
    return grid
