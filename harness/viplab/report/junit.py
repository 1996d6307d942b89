"""A run as JUnit XML, for CI: a test case a trial and a claim, in a suite a subject.

An undecided trial or claim is *skipped*, with its reason: it is neither a pass nor a failure, and `viplab run`,
`viplab analyze` and `viplab report` turn a job red for it by their exit status 2. A claim that does not apply is
skipped, too, and turns nothing red. A claim that differs for a known cause passes, and says that cause on its standard
output. A run that broke off has an *error* besides what was measured.

What a suite was measured with, and what a trial measured, are properties. A trial that did not pass names its files on
its standard output, each in a line `[[ATTACHMENT|FILE]]`: Jenkins keeps them all, GitLab shows the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from viplab.analysis.summary import ClaimResult
from viplab.analysis.views import RunView, TrialView
from viplab.metrics import SECOND, Shown, shown_in
from viplab.regular_files import is_regular, regular_files
from viplab.report import outline
from viplab.report.text import visible
from viplab.run_folder import RunFolder

_ATTACHMENT = "[[ATTACHMENT|"
_SHOWN_FIRST = ("capture/public.pcap", "capture/interconnect.pcap", "timeline.jsonl")


def junit(view: RunView, folder: RunFolder | None = None, broken_off: str | None = None) -> str:
    """The run as an XML document.

    Args:
        view: The run.
        folder: Where its files lie that are attached to trials that did not pass.
        broken_off: Why it broke off, if it did.
    """
    root = ElementTree.Element("testsuites", name="viplab")
    for subject in outline.subjects(view):
        suite = ElementTree.SubElement(
            root, "testsuite", name=visible(f"{subject.name} {subject.profile}"), timestamp=visible(view.info.started)
        )
        trials = [trial for trial in view.trials if (trial.info.subject, trial.info.profile) == _key(subject)]
        _properties(suite, _origins(view, trials))
        for trial in trials:
            _trial(suite, trial, folder)
        for claim in view.claims:
            if (claim.subject, claim.profile) == _key(subject):
                _claim(suite, claim)
    if view.notes:
        _unread(root, view.notes)
    if broken_off is not None:
        _broken_off(root, broken_off)
    return _document(root)


def without_run(broken_off: str) -> str:
    """The document of a run that broke off before it had a folder."""
    root = ElementTree.Element("testsuites", name="viplab")
    _broken_off(root, broken_off)
    return _document(root)


def _document(root: ElementTree.Element) -> str:
    for suite in (*root, root):
        for counter, tag in (
            ("tests", "testcase"),
            ("failures", "failure"),
            ("skipped", "skipped"),
            ("errors", "error"),
        ):
            suite.set(counter, str(sum(1 for _ in suite.iter(tag))))
        suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite.iter('testcase')):.3f}")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _key(subject: outline.Subject) -> tuple[str, str]:
    return subject.name, subject.profile


def _origins(view: RunView, trials: list[TrialView]) -> dict[str, object]:
    """What these trials were measured with."""
    origin = view.info.provenance
    packages = {name: version for host in origin.packages.values() for name, version in host.items()}
    return {
        "run": view.info.id,
        "seed": view.info.seed,
        "lab": ", ".join(dict.fromkeys(trial.info.lab for trial in trials)) or None,
        "accelerator": origin.accel,
        "kernel": origin.host_kernel,
        "image": origin.image,
        "qemu": origin.qemu,
        "libvirt": origin.libvirt,
        "viplab": origin.git,
        "version": ", ".join(dict.fromkeys(trial.info.subject_version for trial in trials)) or None,
        **{f"package.{name}": version for name, version in packages.items()},
    }


def _measured(trial: TrialView) -> dict[str, object]:
    """Each metric of its first two faults."""
    return {
        prefix + name: getattr(fault, name)
        for prefix, fault in zip(("", SECOND), trial.summary.faults, strict=False)
        for name in shown_in(Shown.CSV)
    }


def _properties(parent: ElementTree.Element, values: Mapping[str, object]) -> None:
    known = {name: value for name, value in values.items() if value is not None}
    if known:
        properties = ElementTree.SubElement(parent, "properties")
        for name, value in known.items():
            ElementTree.SubElement(properties, "property", name=visible(name), value=visible(str(value)))


def _trial(suite: ElementTree.Element, trial: TrialView, folder: RunFolder | None) -> None:
    summary = trial.summary
    case = _case(suite, f"viplab.trials.{trial.info.scenario}", trial.name)
    if summary.wall_s is not None:
        case.set("time", f"{summary.wall_s:.3f}")
    _properties(case, _measured(trial))
    if summary.verdict == "fail":
        ElementTree.SubElement(case, "failure", message=visible(summary.reason))
    elif summary.verdict == "undecided":
        ElementTree.SubElement(case, "skipped", message=visible(f"undecided: {summary.reason}"))
    if summary.verdict != "pass" and folder is not None:
        names = [name for name in map(_named, _files(folder, trial.name)) if _plain(name)]
        if names:
            attached = "".join(f"{_ATTACHMENT}{name}]]\n" for name in names)
            ElementTree.SubElement(case, "system-out").text = f"\n{attached}"


def _files(folder: RunFolder, trial: str) -> Iterator[Path]:
    """The report if there is one, and a trial's files, first those that one looks at first."""
    if is_regular(folder.path, folder.report):
        yield folder.report
    path = folder.path / "trials" / trial
    first = [path / name for name in _SHOWN_FIRST]
    found = regular_files(folder.path, path)
    yield from (file for file in first if file in found)
    yield from (file for file in found if file not in first)


def _named(path: Path) -> str:
    """A file as it is looked for: by Jenkins with its whole path, by GitLab from the project's folder."""
    project = Path(os.environ.get("CI_PROJECT_DIR") or "/").resolve()
    path = path.resolve()
    return str(path.relative_to(project) if project != Path("/") and path.is_relative_to(project) else path)


def _plain(name: str) -> bool:
    """Whether a name can stand in such a line; a folder from elsewhere may have one that ends it and begins another."""
    return visible(name) == name and "\n" not in name and "]]" not in name


def _claim(suite: ElementTree.Element, claim: ClaimResult) -> None:
    case = _case(suite, f"viplab.claims.{claim.scenario}", f"{claim.id}: {claim.text}")
    said = visible(f"the article: {claim.article}\nmeasured: {claim.measured}\nwhy: {claim.why}")
    # What a guest wrote has CI fetch no file of the machine that reads this.
    said = said.replace(_ATTACHMENT, _ATTACHMENT.replace("[[", "[ ["))
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
    suite = ElementTree.SubElement(root, "testsuite", name="unreadable")
    for number, note in enumerate(notes, 1):
        case = _case(suite, "viplab.trials", f"unreadable trial {number}")
        ElementTree.SubElement(case, "skipped", message=visible(f"undecided: {note}"))


def _broken_off(root: ElementTree.Element, why: str) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name="run")
    ElementTree.SubElement(_case(suite, "viplab.run", "the run comes to its end"), "error", message=visible(why))
