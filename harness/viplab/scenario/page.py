"""The scenarios as docs/scenarios.md tells them: a chapter a folder, each with its story and what it expects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from viplab.resources import resource
from viplab.scenario.load import load_scenario, scenario_files
from viplab.scenario.model import Expect, Scenario
from viplab.scenario.vrrp import Vrrp

_HEAD = """\
# Scenarios

What `viplab run NAME` does, told for whoever knows neither the code nor the article; written by `nox -s docs` from the
files themselves. A scenario fails where its client saw more than is expected here: that is what it is for.

## The virtual router

A scenario's `vrrp:` has keepalived's keywords, all the same on every host; `state` and `priority` stand at each of its
`hosts:`. What a daemon does not have is *not supported* with it.

"""


def scenarios_page() -> str:
    """The whole page."""
    root = resource("scenarios")
    return "\n".join([_HEAD + _keywords(), *_chapters(root, list(scenario_files().values()))])


def _keywords() -> str:
    rows = ["| keyword | left out | |", "|---|---|---|"]
    for name, field in Vrrp.model_fields.items():
        rows.append(f"| `{name}` | {f'`{field.default}`' if field.default else ''} | {field.description} |")
    return "\n".join(rows) + "\n"


def _chapters(root: Path, paths: list[Path]) -> Iterator[str]:
    for folder, files in groupby(paths, key=lambda path: path.parent):
        yield f"## {folder.relative_to(root)}\n"
        for path in files:
            yield _told(load_scenario(path))


def _told(scenario: Scenario) -> str:
    steps = "; ".join(f"`{step}`" for step in scenario.steps)
    told = f"**{scenario.title.rstrip('.')}.** {scenario.story.strip()}"
    return f"### {scenario.scenario}\n\n{told}\n\n{steps}. Expected: {expected(scenario.expect)}.\n"


def expected(expect: Expect) -> str:
    """What a scenario expects, in words."""
    parts = [f"{expect.owner} owns the VIP at the end"]
    if expect.client is not None:
        parts.append(f"the client's entry names {expect.client}")
    if expect.broken is not None:
        parts.append(f"{expect.broken or 'none'} of the connections kept open break{'' if expect.broken else 's'}")
    if expect.serving is not None:
        parts.append(f"what is served listens on {' and '.join(expect.serving) or 'no host'}")
    for seconds, never, longest in (
        (expect.ping_outage_s, "every probe is answered", "probes go unanswered for"),
        (expect.service_outage_s, "every HTTP request is answered", "HTTP requests go unanswered for"),
        (expect.two_owners_s, "it never has two owners", "it has two owners for"),
    ):
        if seconds is not None:
            parts.append(f"{longest} {seconds:g} s at most" if seconds else never)
    return ", ".join(parts)
