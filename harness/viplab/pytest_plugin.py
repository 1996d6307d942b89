"""The pytest plug-in: a test with the fixture `viplab_lab` runs within a lab of its own.

Such a test, its fixtures included, is done by a process in the lab's namespaces, which nothing of it outlives; only its
reports come back. What it did is kept as a run where it failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from viplab.errors import Interrupted, ViplabError

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
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Do a test that asks for a lab within one, and tell of it here."""
    if _FIXTURE not in getattr(item, "fixturenames", ()):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    try:
        reports = _in_lab(item)
    except Interrupted:
        raise KeyboardInterrupt from None
    except ViplabError as error:
        reports = [_not_begun(item, error)]
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _in_lab(item: pytest.Item) -> list[pytest.TestReport]:
    from _pytest.runner import runtestprotocol

    from viplab.experiment.by_hand import plan_by_hand
    from viplab.lab.registry import DEFAULT, lab_kind
    from viplab.subjects.registry import chosen

    hook = item.config.hook
    (assignment,) = chosen([item.config.getoption("--viplab-subject")], None)
    kind = lab_kind(item.config.getoption("--viplab-lab") or DEFAULT)
    asked = {key: value for mark in reversed([*item.iter_markers("viplab")]) for key, value in mark.kwargs.items()}
    plan = plan_by_hand(re.sub("[^a-z0-9]+", "-", item.name.lower()).strip("-"), asked, assignment, kind)

    def work(lab: Lab) -> list[dict[str, Any]]:
        item.stash[_begun] = plan, lab
        # Up to its parent: what was set up for several tests outlives this one, in the process that did it.
        reports = runtestprotocol(item, log=False, nextitem=item.parent)  # type: ignore[arg-type]
        return [hook.pytest_report_to_serializable(config=item.config, report=report) for report in reports]

    found = kind.open(work, plan.hosts)
    return [hook.pytest_report_from_serializable(config=item.config, data=data) for data in found]


def _not_begun(item: pytest.Item, error: ViplabError) -> pytest.TestReport:
    def fail() -> None:
        pytest.fail(f"viplab: {error}", pytrace=False)

    call = pytest.CallInfo.from_call(fail, when="setup")
    report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
    return report


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

    def __init__(self, trial: TrialByHand, lab: Lab) -> None:
        self._trial = trial
        self._lab = lab

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """The hosts, by their letters."""
        return self._lab.hosts

    def do(self, name: str, argument: Any) -> None:
        """Do any step of a scenario file, given what a file would give it."""
        self._trial.do(name, argument)

    def wait(self, *, within: float = 20, **condition: Any) -> None:
        """Wait until something was seen: `master="B"`, `announced="B"` or `pings=5`; fail after so many seconds."""
        self.do("wait", {**condition, "within": within})

    def observe(self, seconds: float) -> None:
        """Go on for so long."""
        self.do("observe", seconds)

    @property
    def measured(self) -> TrialView:
        """All that analysis makes of the packets; to ask ends the measurement.

        Where the measurement itself is in doubt (packets dropped, a busy machine) the test is skipped, and says why.
        """
        view = self._trial.measured
        if view.summary.verdict == "undecided":
            pytest.skip(f"undecided: {view.summary.reason}")
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
    with trial_by_hand(plan, lab, run) as trial:
        yield ViplabLab(trial, lab)
    if not item.stash[_failed]:
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
        viplab_lab.do(name, target)

    return inject
