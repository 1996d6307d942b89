"""Write the generated parts of the documentation and the schema: `nox -s docs`, or `python docs/generated.py RUN`.

A part stands between two marks, `<!-- NAME: ... -->` and `<!-- end of NAME -->`; what is around it is written by hand.
The tables of physical truth and calibration come from the runs that are named, and stay as they are where none is. A
test holds every part against what this would write.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from manpage import viplab_1

from beside.page import markdown as beside
from conformance.page import table as clauses
from differential.page import table as differences
from vipd.daemon.reload import table as reload_table
from vipd.tools.diagram import state_machines
from vipd.tools.manual import keywords
from viplab import metrics
from viplab.analysis.claims import read_reference
from viplab.analysis.claims_page import claims_page
from viplab.analysis.matrix import read_matrix, read_published
from viplab.analysis.run import analyze
from viplab.analysis.witnesses import table as witnesses
from viplab.errors import InputError, ViplabError
from viplab.faults import page
from viplab.ground_truth import page as truth
from viplab.ground_truth.check import compare_all
from viplab.ground_truth.mutations.check import table as noticed
from viplab.ground_truth.mutations.check import whole
from viplab.lint.page import lint_page
from viplab.report.matrix import matrices_page
from viplab.run_folder import RunFolder, TrialFolder
from viplab.scenario.page import scenarios_page
from viplab.scenario.schema import schema_text

ROOT = Path(__file__).parents[1]
MATRICES = ROOT / "results" / "matrix"
SAMPLE = ROOT / "results" / "sample" / "trials"
# One for each way to end a master: its daemon, its link, its host, the last of them with HTTP.
MUTATED = ("003-case-a-vipd", "008-case-c-keepalived", "011-power-cut-vipd")
Part = tuple[str, str | None, Callable[[], str]]


def mutations() -> str:
    """Who notices what was done to three trials of the sample."""
    return noticed([whole(TrialFolder(SAMPLE / name)) for name in MUTATED])


def matrices() -> str:
    """The matrices that are kept, and what others have published."""
    return matrices_page([read_matrix(path) for path in sorted(MATRICES.glob("*.json"))], read_published())


PARTS: list[Part] = [
    ("docs/beside.md", "outcome", beside),
    ("scenarios/schema.json", None, schema_text),
    ("docs/claims.md", None, lambda: claims_page(read_reference(ROOT / "results" / "reference" / "article.yaml"))),
    ("docs/conformance.md", "differences", differences),
    ("docs/conformance.md", "clauses", lambda: "\n".join(clauses())),
    ("docs/lint.md", None, lint_page),
    ("docs/method.md", "known truth", lambda: truth.known_truth(compare_all())),
    ("docs/run-folder.md", "fault kinds", page.markdown),
    ("docs/method.md", "witnesses", witnesses),
    ("docs/matrix.md", None, matrices),
    ("docs/mutations.md", "mutations", mutations),
    ("docs/run-folder.md", "metrics", metrics.markdown),
    ("docs/scenarios.md", None, scenarios_page),
    ("docs/theory.md", "state machines", state_machines),
    ("docs/viplab.1", None, viplab_1),
    ("docs/vipd.md", "keywords", keywords),
    ("docs/vipd.md", "reload", reload_table),
]
"""File, the part's name (None where it is the whole file), and what makes it."""


def measured(runs: list[Path]) -> Iterator[Part]:
    """The parts that come from real runs."""
    trials = [trial.summary for run in runs for trial in analyze(RunFolder(run)).trials]
    if trials:
        yield "docs/method.md", "physical truth", lambda: truth.physical_truth(trials)
        yield "docs/method.md", "calibration", lambda: truth.calibration(trials)


def filled(text: str, name: str, part: str) -> str:
    """The page with the part of that name put between its marks.

    Raises:
        InputError: the page has no such marks.
    """
    pattern = re.compile(rf"(<!-- {re.escape(name)}: [^>]*-->\n).*?(<!-- end of {re.escape(name)} -->)", re.DOTALL)
    text, count = pattern.subn(lambda match: f"{match[1]}\n{part.strip()}\n\n{match[2]}", text)
    if count != 1:
        raise InputError(f"the page has no place for {name!r}: `<!-- {name}: ... -->` to `<!-- end of {name} -->`")
    return text


def current(part: Part) -> tuple[Path, str, str]:
    """The file of a part, what it holds, and what it should hold.

    Raises:
        InputError: the page has no place for the part.
    """
    path, name, make = ROOT / part[0], part[1], part[2]
    if name is None:
        return path, path.read_text(encoding="utf-8") if path.exists() else "", make()
    text = path.read_text(encoding="utf-8")
    try:
        return path, text, filled(text, name, make())
    except InputError as error:
        raise InputError(f"{part[0]}: {error}") from None


def main(runs: list[Path]) -> None:
    """Write what is not up to date, and say what that was."""
    for part in [*PARTS, *measured(runs)]:
        path, before, after = current(part)
        if before != after:
            path.write_text(after, encoding="utf-8")
            print(f"{part[0]}: {part[1] or 'the whole file'} written anew")  # noqa: T201


if __name__ == "__main__":
    try:
        main([Path(word) for word in sys.argv[1:]])
    except ViplabError as error:
        print(f"docs/generated.py: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_status)
