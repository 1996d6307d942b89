"""The pytest plug-in: a test with the fixture `viplab_lab` runs within a lab of its own.

Such a test, its fixtures included, is done by a process in the lab's namespaces, which nothing of it outlives; only its
reports come back. What it did is kept as a run where it failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from viplab.errors import InputError, Interrupted, ViplabError

if TYPE_CHECKING:
    from viplab.analysis.views import TrialView
    from viplab.experiment.by_hand import TrialByHand
    from viplab.experiment.plan import Plan
    from viplab.lab.guest import Guest
    from viplab.lab.lab import Lab
    from viplab.types import HostName

_FIXTURE = "viplab_lab"
_begun = pytest.StashKey[tuple["Plan", "Lab"]]()
_failed = pytest.StashKey[bool]()
_not_begun = pytest.StashKey[Exception]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the options."""
    group = parser.getgroup("viplab")
    group.addoption(
        "--viplab-subject", metavar="NAME", default="vipd", help="The daemon under test, as for `viplab run --subject`."
    )
    group.addoption(
        "--viplab-lab",
        metavar="NAME",
        help="What the hosts are, as for `viplab run --lab`: libvirt (default) or netns.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "viplab(**keys): what the hosts of this test are, by the keys of a scenario file (hosts, vrrp, ...)."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Do a test that asks for a lab within one, and tell of it here."""
    if _FIXTURE not in getattr(item, "fixturenames", ()) or not _is_to_run(item):
        return None
    from _pytest.runner import runtestprotocol

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    try:
        reports = [*_in_lab(item), *_torn_down(item, nextitem)]
    except Interrupted:
        raise KeyboardInterrupt from None
    except Exception as error:  # Whatever it is, it ends this test and not the session.
        item.stash[_not_begun] = error
    if _not_begun in item.stash:
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that has no lab, before any fixture of it does something to this machine instead."""
    error = item.stash.get(_not_begun, None)
    if isinstance(error, ViplabError):
        pytest.fail(f"viplab: {error}", pytrace=False)
    if error is not None:
        raise error


def _is_to_run(item: pytest.Item) -> bool:
    """Whether no marker says otherwise; pytest says so itself of a test that is not to run, and of a wrong marker."""
    # pytest has no public name for these, nor for `runtestprotocol`.
    from _pytest.skipping import evaluate_skip_marks, evaluate_xfail_marks

    try:
        skipped, expected = evaluate_skip_marks(item), evaluate_xfail_marks(item)
    except (TypeError, pytest.fail.Exception):
        return False
    return skipped is None and (expected is None or expected.run or item.config.option.runxfail)


def _torn_down(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """End what this process had set up for tests before that the next one does not need; tell only of a failure."""
    teardown = pytest.CallInfo.from_call(lambda: item.session._setupstate.teardown_exact(nextitem), when="teardown")
    if teardown.excinfo is None:
        return []
    report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=teardown)
    return [report]


def _in_lab(item: pytest.Item) -> list[pytest.TestReport]:
    from _pytest.runner import runtestprotocol

    from viplab.experiment.by_hand import plan_by_hand
    from viplab.lab.registry import DEFAULT, lab_kind
    from viplab.subjects.registry import chosen

    hook = item.config.hook
    (assignment,) = chosen([item.config.getoption("--viplab-subject")], None)
    kind = lab_kind(item.config.getoption("--viplab-lab") or DEFAULT)
    plan = plan_by_hand(re.sub("[^a-z0-9]+", "-", item.name.lower()).strip("-"), _asked(item), assignment, kind)

    def work(lab: Lab) -> list[dict[str, Any]]:
        item.stash[_begun] = plan, lab
        # Up to its parent: what was set up for several tests outlives this one, in the process that did it.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]
        return [hook.pytest_report_to_serializable(config=item.config, report=report) for report in reports]

    found = kind.open(work, plan.hosts)
    return [hook.pytest_report_from_serializable(config=item.config, data=data) for data in found]


def _asked(item: pytest.Item) -> dict[str, Any]:
    """What the markers say, that of the function before that of its class and module."""
    marks = [*item.iter_markers("viplab")]
    if args := [value for mark in marks for value in mark.args]:
        raise InputError(f"the marker viplab: takes keys of a scenario file, as in hosts=..., and not {args[0]!r}")
    return {key: value for mark in reversed(marks) for key, value in mark.kwargs.items()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember whether a test failed."""
    report = yield
    item.stash[_failed] = item.stash.get(_failed, False) or report.failed
    return report


class ViplabLab:
    """The bench as a test has it."""

    def __init__(self, trial: TrialByHand, lab: Lab, run: Path) -> None:
        self._trial = trial
        self._lab = lab
        self._run = run
        self._undecided = False

    @property
    def undecided(self) -> bool:
        """Whether the test was skipped since the measurement does not tell."""
        return self._undecided

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """The hosts, by their letters."""
        return self._lab.hosts

    def do(self, name: str, argument: Any) -> None:
        """Do any step of a scenario file, given what a file would give it; the test fails where it cannot be done."""
        # The line of the test that asked says more than how it was done.
        __tracebackhide__ = True
        try:
            self._trial.do(name, argument)
        except ViplabError as error:
            raise pytest.fail.Exception(f"viplab: {error}") from None

    def wait(self, *, within: float = 20, **condition: Any) -> None:
        """Wait until something was seen: `master="B"`, `announced="B"` or `pings=5`; fail after so many seconds."""
        __tracebackhide__ = True
        self.do("wait", {**condition, "within": within})

    def observe(self, seconds: float) -> None:
        """Go on for so long."""
        __tracebackhide__ = True
        self.do("observe", seconds)

    @property
    def measured(self) -> TrialView:
        """All that analysis makes of the packets; to ask ends the measurement.

        Where the measurement itself is in doubt (packets dropped, a busy machine) the test is skipped, says why,
        and leaves its run.
        """
        view = self._trial.measured
        if view.summary.verdict == "undecided":
            self._undecided = True
            pytest.skip(f"undecided: {view.summary.reason}; {self._run} has this test as a run")
        return view


class Probe:
    """What the client saw that asks the VIP fifty times a second; to ask ends the measurement."""

    def __init__(self, lab: ViplabLab) -> None:
        self._lab = lab

    @property
    def sent(self) -> int:
        """Requests."""
        return len(self._lab.measured.probe)

    @property
    def lost(self) -> int:
        """Requests that nobody answered."""
        return sum(trip.rtt_ms is None for trip in self._lab.measured.probe)

    @property
    def outage_s(self) -> float:
        """Seconds without an answer, all losses together."""
        view = self._lab.measured
        losses = [loss for loss in view.loss_runs if loss.stream == "probe"]
        return sum((view.end_s if loss.end_s is None else loss.end_s) - loss.start_s for loss in losses)


@pytest.fixture
def viplab_lab(request: pytest.FixtureRequest) -> Iterator[ViplabLab]:
    """The bench: hosts with the daemon started, the master settled, a client that probes, captures that run."""
    from viplab.experiment.by_hand import run_for, trial_by_hand
    from viplab.store import RunStore

    item, runs = request.node, RunStore()
    plan, lab = item.stash[_begun]
    run = run_for(plan, lab, runs)
    item.add_report_section("call", "viplab", f"{run.path} has this test as a run; `viplab report {run.path.name}`")
    try:
        with trial_by_hand(plan, lab, run) as trial:
            bench = ViplabLab(trial, lab, run.path)
            yield bench
    except ViplabError as error:
        raise pytest.fail.Exception(f"viplab: {error}", pytrace=False) from None
    if not item.stash[_failed] and not bench.undecided:
        runs.remove(run)


@pytest.fixture
def guests(viplab_lab: ViplabLab) -> Mapping[HostName, Guest]:
    """The hosts: `guests["A"].run("ip address").stdout`, `.get(path)`, `.put(octets, path)`."""
    return viplab_lab.hosts


@pytest.fixture
def vip(request: pytest.FixtureRequest, viplab_lab: ViplabLab) -> str:
    """The virtual IP."""
    plan, _ = request.node.stash[_begun]
    return str(plan.scenarios[0][1].vrrp.vip)


@pytest.fixture
def probe(viplab_lab: ViplabLab) -> Probe:
    """What the client saw."""
    return Probe(viplab_lab)


@pytest.fixture
def fault(viplab_lab: ViplabLab) -> Callable[..., None]:
    """Injects a fault, as in `fault("kill", host="A")`; what there is and what it takes is as in a scenario's steps."""

    def inject(name: str, **target: Any) -> None:
        __tracebackhide__ = True
        viplab_lab.do(name, target)

    return inject
