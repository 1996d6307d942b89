"""Lets pytest collect the scenarios themselves: `pytest scenarios/ --subject keepalived` runs each on real guests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("viplab")
    group.addoption("--subject", default="vipd", help="a subject of viplab")
    group.addoption("--lab", default="libvirt", choices=("libvirt", "netns"), help="real guests, or namespaces")
    group.addoption("--profile", help="which of its behaviours the subject shows; the first if left out")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix != ".yaml" or file_path.parent == Path(__file__).parent:
        return None
    found: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
    return found


class ScenarioFile(pytest.File):
    """A scenario as pytest sees it: a file with one test in it."""

    def collect(self) -> Iterator[pytest.Item]:
        yield ScenarioItem.from_parent(self, name=self.path.stem)


class ScenarioError(Exception):
    """The trial failed, or decided nothing."""


class ScenarioItem(pytest.Item):
    """Runs the scenario once and passes if its trial does and no claim failed."""

    def runtest(self) -> None:
        from viplab.analysis.run import analyze, write_summary
        from viplab.experiment.plan import Plan
        from viplab.experiment.session import run
        from viplab.lab.registry import lab_kind
        from viplab.scenario.load import read_scenario
        from viplab.store import RunStore
        from viplab.subjects.registry import subject

        chosen = subject(self.config.getoption("--subject"), self.config.getoption("--profile"))
        lab = lab_kind(self.config.getoption("--lab"))
        folder = run(Plan([read_scenario(self.path)], [chosen], lab=lab), RunStore())
        view = analyze(folder)
        write_summary(folder, view)
        wrong = [
            f"{trial.summary.verdict}: {trial.summary.reason}"
            for trial in view.trials
            if trial.summary.verdict != "pass"
        ]
        wrong += [f"{c.id} {c.verdict}: {c.why}" for c in view.claims if c.verdict != "reproduced" and not c.explained]
        if wrong:
            raise ScenarioError("\n".join([*wrong, f"evidence: {folder.path}"]))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.stem} with {self.config.getoption('--subject')}"
