"""One run as one self-contained HTML file: `render`.

The page loads nothing, runs nothing and is the same bytes for the same view. Every string that a template prints goes
through `visible` (by jinja's `finalize`) and then through autoescape, so no template can forget either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from viplab.analysis.model import ClaimResult, Measures, RunView, TrialView
from viplab.evidence import RunFolder
from viplab.report import exhibits, narrate, outline, timeline, topology, units, waterfall
from viplab.report.svg import PALETTE
from viplab.report.text import visible

NOT_MEASURED = Markup('<span class="nm">{}</span>').format(units.NOT_MEASURED)

QUANTITIES: tuple[tuple[str, str, str], ...] = (
    ("outage_s", "Client without an answer", "sum of the gaps in its echo replies"),
    ("detection_s", "Takeover", "fault to the new master’s first advert"),
    ("deadline_excess_s", "Deadline excess", "how late that advert was by the new master’s own timers"),
    ("announce_s", "Announcement", "that advert to its first gratuitous ARP"),
    ("client_switch_s", "Client’s switch", "that gratuitous ARP to the change of the client’s ARP entry"),
    ("dual_owner_s", "Two owners", "time for which both hosts answered for the address"),
    ("reversion_s", "Reversion", "return of a host to its first answer under the address"),
)
"""The measured quantities of a trial: field of `Measures`, name, meaning."""


def render(run: RunFolder, view: RunView) -> str:
    """The report of a run; `run` is only asked which files there are to link to."""
    environment = Environment(
        loader=PackageLoader("viplab.report"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": units.seconds,
        "moment": units.moment,
        "ms": units.milliseconds,
        "span": units.span,
        "count": units.count,
        "sample": lambda trials, name: units.sample(_values(trials, name)),
        "measured": lambda trials, name: any(value is not None for value in _values(trials, name)),
        "lost": lost,
        "no_deadline": no_deadline,
        "claims_of": claims_of,
        "stayed": stayed,
        "verdict_counts": verdict_counts,
        "prose": prose,
        "verdict": outline.verdict,
        "anchor": anchor,
        "seqs": exhibits.sequences,
        "ping_excerpt": exhibits.ping_excerpt,
        "arp_excerpt": exhibits.arp_excerpt,
        "frames_excerpt": exhibits.frames_excerpt,
        "merged_logs": exhibits.merged_logs,
    }
    environment.globals["not_measured"] = NOT_MEASURED
    style = Markup(_style())
    anchors = {trial.name: anchor(trial.name) for chapter in outline.chapters(view) for trial in _shown(chapter)}
    return environment.get_template("report.html.j2").render(
        view=view,
        style=style,
        policy=_policy(style),
        subjects=outline.subjects(view),
        short=outline.short_names(view),
        label=lambda subject: subject_label(view, subject),
        tally=lambda subject=None: outline.tally(view, subject),
        chapters=outline.chapters(view),
        claim_groups=outline.claim_groups(view),
        puzzles=outline.puzzle_rows(view),
        bench=topology.bench(view),
        quantities=QUANTITIES,
        anchors=anchors,
        repeated=len(anchors) < len(view.trials),
        headline=headline(view),
        tell=narrate.tell,
        timeline=lambda trial: timeline.draw(trial, f"{anchor(trial.name)}-t"),
        waterfall=lambda trial, number: waterfall.draw(trial.faults[number], f"{anchor(trial.name)}-w{number}"),
        fault_words=timeline.fault_words,
        configurations=exhibits.configurations,
        raw_files=lambda trial: exhibits.raw_files(run.path, trial.name),
        is_omission=lambda row: isinstance(row, exhibits.Omission),
    )


def headline(view: RunView) -> str:
    """The result of the run in one sentence."""
    if not view.trials:
        return "This run holds no trial, so nothing can be said."
    if not view.claims:
        return "No claim of the article was judged in this run."
    counts = outline.tally(view)
    total = sum(counts.values())
    parts = [f"{counts['reproduced']} of {total} results reproduce the article"]
    if counts["explained"]:
        parts.append(f"{_differ(counts['explained'])} for a known, measured cause")
    if counts["failed"]:
        parts.append(f"{_differ(counts['failed'])} without one")
    if counts["undecided"]:
        parts.append(f"{counts['undecided']} could not be decided")
    return ", ".join(parts[:-1]) + " and " * (len(parts) > 1) + parts[-1] + "."


def _differ(number: int) -> str:
    return f"{number} differs" if number == 1 else f"{number} differ"


def subject_label(view: RunView, subject: outline.Subject) -> str:
    """The daemon with its version where that is known, such as `vipd 0.1.0`."""
    versions = [
        trial.info.subject_version
        for trial in view.trials
        if (trial.info.subject, trial.info.profile) == (subject.name, subject.profile)
    ]
    if not versions or not versions[0]:
        return subject.name
    named = subject.name.lower() in versions[0].lower()
    return versions[0] if named else f"{subject.name} {versions[0]}"


def lost(trials: Sequence[TrialView]) -> str | None:
    """Lost and sent echo requests of the 1 Hz ping, such as `4 of 22`, over all trials that have a transcript."""
    pings = [trial.summary.ping for trial in trials if trial.summary.ping is not None]
    if not pings:
        return None
    missing = sum(len(ping.lost_seqs) for ping in pings)
    return f"{missing} of {sum(ping.sent for ping in pings)}"


def stayed(group: outline.Group) -> str | None:
    """The host that stayed master in the first fault of every trial; None where another took over or nobody knows."""
    masters = {
        trial.faults[0].old_master
        for trial in group.trials
        if trial.faults
        and trial.faults[0].new_master in (None, trial.faults[0].old_master)
        and trial.summary.detection_s is None
        and trial.summary.verdict != "undecided"
    }
    return masters.pop() if len(masters) == 1 else None


def no_deadline(trials: Sequence[TrialView]) -> bool:
    """Whether a host came back in all of them and none fell silent, so that no timer of a backup had to run out."""
    return all(trial.faults and trial.faults[0].summary.fault.kind in ("bring_back", "link_up") for trial in trials)


def claims_of(view: RunView, group: outline.Group) -> list[ClaimResult]:
    """The claims that were judged on this group's trials."""
    scenario, subject = group.shown.info.scenario, group.subject
    return [
        claim
        for claim in view.claims
        if (claim.scenario, claim.subject, claim.profile) == (scenario, subject.name, subject.profile)
    ]


def verdict_counts(trials: Sequence[TrialView]) -> dict[str, int]:
    """How many of the trials ended how, in the order pass, fail, undecided; only what occurred."""
    verdicts = [trial.summary.verdict for trial in trials]
    return {name: verdicts.count(name) for name in ("pass", "fail", "undecided") if name in verdicts}


def prose(text: str) -> Markup:
    """A sentence of analysis with what it quotes between backticks set as code; visible and escaped before."""
    return Markup(re.sub("`([^`\n]+)`", r"<code>\1</code>", str(escape(visible(text)))))


def anchor(name: str) -> str:
    """The name as an id that a link can point at."""
    return "t-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _values(trials: Sequence[TrialView | Measures], name: str) -> list[float | None]:
    measures = [trial.summary if isinstance(trial, TrialView) else trial for trial in trials]
    return [getattr(measure, name) for measure in measures]


def _shown(chapter: outline.Chapter) -> list[TrialView]:
    return [group.shown for case in chapter.cases for group in case.groups]


def _finalize(value: Any) -> Any:
    """What a template's `{{ ... }}` prints: untrusted text made visible, and None said in words."""
    if value is None:
        return NOT_MEASURED
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    """The style sheet, with the figures' dark colours derived from their palette."""
    base = files("viplab.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    rules = "".join(
        f'svg [{property_}="{light}"]{{{property_}:{dark}}}'
        for light, dark in PALETTE.values()
        for property_ in ("fill", "stroke")
    )
    return f"{base}@media screen and (prefers-color-scheme:dark){{{rules}}}\n"


def _policy(style: str) -> str:
    """The Content-Security-Policy: nothing but this very style sheet and images that are in the page."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
