"""The doctor finds things, not packages, and names what each distribution calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from viplab import doctor


def need(purpose: str, apt: tuple[str, ...], found: str | None = None) -> doctor.Need:
    return doctor.Need("thing", purpose, lambda: found, apt, ("thing-dnf",))


def test_only_missing_packages_are_named_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    table = (
        need("build", ("b",)),
        need("network", ("b",)),
        need("network", ("here",), "/bin/here"),
        need("lab", ("l",)),
    )
    monkeypatch.setattr(doctor, "NEEDS", table)
    assert doctor.missing_packages("e2e", "apt") == ["b", "l"]
    assert doctor.missing_packages("e2e", "dnf") == ["thing-dnf"]
    assert doctor.missing_packages("e2e", None) == []


def test_a_session_gets_what_it_needs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    purposes = ("build", "network", "tests", "lab")
    monkeypatch.setattr(doctor, "NEEDS", tuple(need(purpose, (purpose,)) for purpose in purposes))
    assert doctor.missing_packages("lint", "apt") == ["build"]
    assert doctor.missing_packages("tests", "apt") == ["build", "network", "tests"]
    assert doctor.missing_packages("e2e", "apt") == ["build", "network", "lab"]


def test_what_builds_a_source_is_brought_to_the_tests_that_build_some() -> None:
    brought = {each.name for each in doctor.NEEDS if each.needed_for in doctor.SESSION_PURPOSES["tests"]}
    assert {"C compiler", "make"} <= brought


@pytest.mark.parametrize(("known", "expected"), [(True, "apart"), (False, "inside")])
def test_a_package_that_this_release_does_not_know_gives_way_to_the_one_it_was_in(
    known: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "NEEDS", (need("lab", ("apart", "inside")),))
    monkeypatch.setattr(doctor, "_succeeds", lambda *_: known)
    assert doctor.missing_packages("e2e", "apt") == [expected]


def test_every_finding_that_is_not_ok_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(doctor, "FREE_MIB", 2**60)
    findings = doctor.examine()
    assert len({finding.name for finding in findings}) == len(findings)
    assert {finding.name for finding in doctor.lacking(findings)} >= {"libvirtd", "tcpdump", "namespaces", "disk"}
    assert all(bool(finding.remedy) != finding.ok for finding in findings)


def test_what_the_bench_can_do_without_is_never_lacking() -> None:
    slow = doctor.Finding("kvm", False, "no /dev/kvm", "nothing to do", "speed")
    gone = doctor.Finding("ip", False, "not found", "install it", "network")
    assert doctor.lacking([slow, gone]) == [gone]


def test_the_doctor_runs_as_a_plain_script_without_any_dependency() -> None:
    command = [sys.executable, "-I", "-S", doctor.__file__, "--packages", "e2e"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    known = {name for each in doctor.NEEDS for name in (*each.apt, *each.dnf)}
    assert set(done.stdout.split()) <= known


def test_json_has_the_findings_and_the_exit_status_says_whether_something_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = doctor.Finding("ip", False, "not found", "install it", "network")
    slow = doctor.Finding("kvm", False, "no /dev/kvm", "nothing to do", "speed")
    for found, status in (([gone, slow], 69), ([slow], 0)):
        monkeypatch.setattr(doctor, "examine", lambda found=found: found)
        assert doctor.main(["--json"]) == status
        assert [doctor.Finding(**each) for each in json.loads(capsys.readouterr().out)] == found
        assert doctor.main([]) == status
        assert "install it" in capsys.readouterr().out or status == 0


def test_the_disk_that_the_doctor_asks_for_is_what_the_image_builder_asks_for() -> None:
    image = pytest.importorskip("viplab.lab.image")
    assert image.FREE_MIB_TO_BUILD == doctor.FREE_MIB
