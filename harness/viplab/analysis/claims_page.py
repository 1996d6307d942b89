"""Makes docs/claims.md of the reference file: how each claim of the article is judged."""

from __future__ import annotations

from viplab.analysis.checks import Check
from viplab.analysis.claims import Claim, PuzzleText, Reference
from viplab.analysis.predicates import PREDICATES

_HEAD = """# How each claim is judged

Written from `results/reference/article.yaml` by `nox -s docs`; do not edit.

Source: {source}.

A claim is **reproduced** where all of its checks hold, and **differs** where one does not. It is *explained* where a
known cause is given for the daemon's family and that cause's own checks hold on the measured values: an explanation
is never given by name alone. It is **undecided** where a check could not be measured, where noise could have made it
so, where a known cause could not be looked for, or where the trial itself is undecided (docs/run-folder.md). It is
**inapplicable** where there is nothing of the kind to look at, as its own condition says. Over several trials of a
scenario the worst decided one speaks, and says how many agree. Claims
and puzzles are about daemons of the families {families}; for others they have no result.

A check compares a metric or another predicate (all are listed at the end) with a value or, after an `@`, with another
one; one of another scenario of the same subject is written `SCENARIO/first_reply_ms`, and a comparison with a
scenario that is not part of the run is left out. *Give or take* a value of the same trial: that is the noise of this
very run, and two sides closer together than it are not decided (several noises are added as independent ones are, by
the root of their squares). A known cause that holds explains what noise leaves open as well. A check of log lines
asks for messages of one host after a fault, in that order; a time is the distance to the line before, give or take
the resolution of the stamps.

The run's exit status is 1 where a claim differs unexplained or a trial failed, else 2 where a claim or a trial is
undecided, else 0. Claims of scenarios that were not run have no result, and inapplicable ones no say.
"""


def claims_page(reference: Reference) -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(source=reference.source, families=" and ".join(reference.families) or "any"), "## Claims\n"]
    parts += [_claim(claim) for claim in reference.claims]
    parts += ["## Puzzles\n", "The first answer whose checks all hold is given; else the puzzle is undecided.\n"]
    parts += [_puzzle(puzzle) for puzzle in reference.puzzles]
    parts += ["## Metrics and other predicates\n", "| name | what it is |\n|---|---|"]
    parts += [f"| `{name}` | {meaning} |" for name, meaning in PREDICATES.items()]
    parts.append("\nNames that begin with `second_` are those of a trial's second fault.\n")
    return "\n".join(parts)


def _claim(claim: Claim) -> str:
    lines = [f"### {claim.id}: {claim.text}\n", f"Scenario `{claim.scenario}`. The article: {claim.article}.\n"]
    if claim.applies:
        lines += ["Applies where", *_checks(claim.applies), ""]
    lines += ["Reproduced when", *_checks(claim.check)]
    for explanation in claim.explanations:
        whom = f" for {explanation.family}" if explanation.family else ""
        lines += [f"\nA difference is explained{whom} when", *_checks(explanation.when)]
    return "\n".join([*lines, ""])


def _puzzle(puzzle: PuzzleText) -> str:
    scenarios = ", ".join(f"`{name}`" for name in puzzle.scenarios)
    lines = [f"### {puzzle.number}. {puzzle.title}\n", f"{puzzle.question} (Needs {scenarios}.)"]
    for answer in puzzle.answers:
        whom = f" for {answer.family}" if answer.family else ""
        lines += [f"\nAnswered{whom} when", *_checks(answer.when), f"\n> {answer.answer}"]
    return "\n".join([*lines, ""])


def _checks(checks: list[Check]) -> list[str]:
    return ["", *(f"- {check}" for check in checks)]
