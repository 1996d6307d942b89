"""The plot that settles an open question, as the reference file says which."""

from __future__ import annotations

from collections.abc import Sequence

from viplab.analysis.checks import Template
from viplab.analysis.presentation import AnswersPlot, LadderPlot, Plot
from viplab.analysis.views import TrialView
from viplab.report import answers, arithmetic, ladder, outline
from viplab.report.svg import Drawing


def draw(
    plot: Plot, chapters: Sequence[outline.Chapter], names: dict[outline.Subject, str], key: str
) -> Drawing | None:
    """The plot; None where the run has none of the trials that it takes."""

    def groups(scenario: str) -> list[tuple[str, outline.Group]]:
        cases = (case for chapter in chapters for case in chapter.cases if case.scenario == scenario)
        return [(names[group.subject], group) for case in cases for group in case.groups]

    if isinstance(plot, AnswersPlot):
        rows = [
            answers.Row(group.shown, name, _note(row.note, group.shown))
            for row in plot.rows
            for name, group in groups(row.scenario)
        ]
        return answers.draw(rows, key, plot.caption, [(mark.after_s, mark.text) for mark in plot.marks])
    if isinstance(plot, LadderPlot):
        return ladder.draw([(name, group.shown) for name, group in groups(plot.scenario)], key, plot.caption)
    return arithmetic.draw(groups(plot.scenario), key, plot.caption, plot.seen)


def _note(note: str, trial: TrialView) -> str:
    priorities = {f"priority_{host.lower()}": node.priority for host, node in trial.info.nodes.items()}
    return Template(priorities.get).format(note)
