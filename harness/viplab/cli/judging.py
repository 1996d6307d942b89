"""A run judged from its folder, and the exit status that says how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.cli.printing import out, short, tell, writing
from viplab.errors import ExitStatus, InputError, UndecidedAs

if TYPE_CHECKING:
    from viplab.analysis.views import RunView
    from viplab.run_folder import RunFolder

DAMAGE_SHOWN = 20
"""Lines that `analyze` and `report` print of what is wrong with a folder; the report has them all."""


def judged(folder: RunFolder, *, report: bool) -> RunView:
    """Judge a run from its folder, keep the summary there, and print it; with `report` write the report as well."""
    from viplab.analysis.run import analyze as analyse
    from viplab.analysis.run import write_summary, write_trials
    from viplab.report.console import summary_table

    view = analyse(folder)
    with writing():
        write_summary(folder, view)
        write_trials(folder, view)
    out().print(summary_table(view))
    if report:
        from viplab.report.forms import write_site

        with writing():
            write_site(folder, view)
        tell(f"report: {short(folder.report)}")
    else:
        tell(f"summary: {short(folder.summary)}")
    return view


def status_of(view: RunView) -> int:
    """The exit status of a run that was read from its folder, where damage is said line by line."""
    if not view.damage:
        return view.exit_status
    shown = view.damage[:DAMAGE_SHOWN]
    more = [f"and {len(view.damage) - len(shown)} more"] if len(view.damage) > len(shown) else []
    raise InputError("\n".join([*shown, *more, "what could be judged was"]))


def answer(status: int, undecided: UndecidedAs | None) -> int:
    """The exit status for whoever takes two answers only; what is printed stays undecided."""
    return status if undecided is None or status != ExitStatus.UNDECIDED else undecided.exit_status
