"""A run as JUnit XML, for CI: a test case a trial and a claim, in a suite a subject.

An undecided trial or claim is *skipped*, with its reason: it is neither a pass nor a failure, and `viplab run`,
`viplab analyze` and `viplab report` turn a job red for it by their exit status 2. A claim that does not apply is
skipped, too, and turns nothing red. A claim that differs for a known cause passes, and says that cause on its standard
output.
"""

from __future__ import annotations

from xml.etree import ElementTree

from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import RunView, TrialView
from viplab.report import outline
from viplab.report.text import visible


def junit(view: RunView) -> str:
    """The run as an XML document."""
    root = ElementTree.Element("testsuites", name="viplab")
    for subject in outline.subjects(view):
        suite = ElementTree.SubElement(
            root, "testsuite", name=visible(f"{subject.name} {subject.profile}"), timestamp=visible(view.info.started)
        )
        for trial in view.trials:
            if (trial.info.subject, trial.info.profile) == (subject.name, subject.profile):
                _trial(suite, trial)
        for claim in view.claims:
            if (claim.subject, claim.profile) == (subject.name, subject.profile):
                _claim(suite, claim)
        for counter, tag in (("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")):
            suite.set(counter, str(sum(1 for _ in suite.iter(tag))))
        suite.set("errors", "0")
    if view.notes:
        _unread(root, view.notes)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _trial(suite: ElementTree.Element, trial: TrialView) -> None:
    summary = trial.summary
    case = _case(suite, f"viplab.trials.{trial.info.scenario}", trial.name)
    if summary.wall_s is not None:
        case.set("time", f"{summary.wall_s:.3f}")
    if summary.verdict == "fail":
        ElementTree.SubElement(case, "failure", message=visible(summary.reason))
    elif summary.verdict == "undecided":
        ElementTree.SubElement(case, "skipped", message=visible(f"undecided: {summary.reason}"))


def _claim(suite: ElementTree.Element, claim: ClaimResult) -> None:
    case = _case(suite, f"viplab.claims.{claim.scenario}", f"{claim.id}: {claim.text}")
    said = visible(f"the article: {claim.article}\nmeasured: {claim.measured}\nwhy: {claim.why}")
    match outline.verdict(claim):
        case "failed":
            ElementTree.SubElement(case, "failure", message=visible(claim.measured)).text = said
        case "undecided" | "inapplicable" as found:
            ElementTree.SubElement(case, "skipped", message=visible(f"{found}: {claim.why}"))
        case _:
            ElementTree.SubElement(case, "system-out").text = said


def _case(suite: ElementTree.Element, classname: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=visible(classname), name=visible(name))


def _unread(root: ElementTree.Element, notes: list[str]) -> None:
    """Trials that could not be read have no subject; they are undecided like any other."""
    count = str(len(notes))
    suite = ElementTree.SubElement(
        root, "testsuite", name="unreadable", tests=count, failures="0", skipped=count, errors="0"
    )
    for number, note in enumerate(notes, 1):
        case = _case(suite, "viplab.trials", f"unreadable trial {number}")
        ElementTree.SubElement(case, "skipped", message=visible(f"undecided: {note}"))
