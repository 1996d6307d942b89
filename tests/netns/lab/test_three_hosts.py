"""A third host, with the daemon and without it, from the scenario to the report."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.scenarios import InNamespaces, passed, scenario
from viplab.analysis.run import analyze
from viplab.analysis.views import RunView, TrialView
from viplab.report.site import render
from viplab.resources import resource
from viplab.run_folder import RunFolder, TrialFolder
from viplab.types import Provenance, RunInfo


def as_run(folder: Path, trial: TrialFolder) -> tuple[TrialView, str]:
    """The trial as the only one of a run: what analysis makes of it, and the report."""
    run = RunFolder(folder / "run")
    shutil.copytree(trial.path, run.path / "trials" / "001")
    provenance = Provenance(git=None, argv=[], host_kernel="6", qemu=None, libvirt=None, accel=None, image=None)
    info = RunInfo(id="run", started="2026-11-26T00:00:00Z", provenance=provenance)
    (run.path / "run.json").write_text(info.model_dump_json(by_alias=True))
    shutil.copyfile(resource("results/reference/article.yaml"), run.reference)
    view: RunView = analyze(run)
    return view.trials[0], render(run, view)


def test_a_second_backup_takes_over_when_the_first_dies_too(in_namespaces: InNamespaces, tmp_path: Path) -> None:
    text = resource("scenarios/beyond/third-host.yaml").read_text()
    trial, page = as_run(tmp_path, in_namespaces.run(text))
    assert passed(trial.summary), trial.summary.reason
    assert trial.info.hosts == ["A", "B", "C"]
    assert [(fault.old_master, fault.new_master) for fault in trial.faults] == [("A", "B"), ("B", "C")]
    # Each is held to the timer of the backup that should have been first: 3 s and (256 - priority) / 256 s.
    downs = [fault.summary.expected_down_interval_s for fault in trial.faults]
    assert downs == [3 + 155 / 256, 3 + 206 / 256]
    lanes = {lane.name: [interval.label for interval in lane.intervals] for lane in trial.swim_lanes}
    assert list(lanes) == ["A", "B", "C", "owners", "client"]
    assert lanes["C"] == ["off", "silent", "advertising"]
    assert lanes["client"][-1] == "C"
    assert all(f"host {host}" in page and f"centOS-host{host}" in page for host in "ABC")


def test_a_host_without_the_daemon_is_seen_and_never_expected_to_take_over(
    in_namespaces: InNamespaces, tmp_path: Path
) -> None:
    text = scenario("power_cut: {host: A}", "wait: {master: B}", owner="B").replace("setup:", "  C: {}\nsetup:")
    kept = in_namespaces.run(text)
    assert not kept.host("C", "keepalived.conf").exists()
    assert kept.host("C", "messages.log").exists()
    trial, page = as_run(tmp_path, kept)
    assert passed(trial.summary), trial.summary.reason
    assert (list(trial.info.nodes), trial.info.hosts) == (["A", "B"], ["A", "B", "C"])
    assert trial.faults[0].new_master == "B"
    lanes = {lane.name: [interval.label for interval in lane.intervals] for lane in trial.swim_lanes}
    assert lanes["C"] == ["no daemon"]
    assert "no daemon" in page
