"""Rules of Markdown and of JUnit XML."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from support import report_sample as sample
from viplab.analysis.views import RunView
from viplab.report.console import summary_table
from viplab.report.forms import write_single
from viplab.report.junit import junit
from viplab.report.markdown import escape, markdown
from viplab.run_folder import RunFolder

HOSTILE = "<script>alert(1)</script> @everyone [x](http://evil.example) | ` \x1b[31m\x00\ud800 &lt; #1"


def hostile_run() -> RunView:
    trial = sample.trial(verdict="fail")
    summary = trial.summary.model_copy(update={"reason": HOSTILE})
    claim = sample.claim("A1", measured=HOSTILE, why=HOSTILE, verdict="differs", article=HOSTILE)
    run = sample.run(trial.model_copy(update={"summary": summary, "name": HOSTILE}))
    return run.model_copy(update={"claims": [claim], "notes": [HOSTILE]})


@pytest.fixture(scope="module")
def suites() -> ElementTree.Element:
    return ElementTree.fromstring(junit(sample.whole_run()))


def test_every_trial_and_every_claim_is_a_test_case(suites: ElementTree.Element) -> None:
    run = sample.whole_run()
    cases = [case.get("name", "") for case in suites.iter("testcase")]
    assert len(cases) == len(run.trials) + len(run.claims)
    assert {trial.name for trial in run.trials} <= set(cases)


def test_undecided_is_skipped_and_only_what_failed_is_a_failure(suites: ElementTree.Element) -> None:
    run = sample.whole_run()
    undecided = [trial for trial in run.trials if trial.summary.verdict == "undecided"]
    undecided_claims = [claim for claim in run.claims if claim.verdict == "undecided"]
    failed = [claim for claim in run.claims if claim.verdict == "differs" and not claim.explained]
    assert len(list(suites.iter("skipped"))) == len(undecided) + len(undecided_claims)
    assert len(list(suites.iter("failure"))) == len(failed)
    assert all(case.get("message", "").startswith("undecided: ") for case in suites.iter("skipped"))


def test_the_counts_of_a_suite_are_those_of_its_cases(suites: ElementTree.Element) -> None:
    for suite in suites.iter("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))


def test_what_was_measured_and_with_what_are_properties(suites: ElementTree.Element) -> None:
    def properties(of: ElementTree.Element | None) -> dict[str | None, str | None]:
        assert of is not None
        return {one.get("name"): one.get("value") for one in of.findall("properties/property")}

    run = sample.whole_run()
    origins = properties(suites.find("testsuite"))
    assert origins["kernel"] == run.info.provenance.host_kernel
    assert origins["run"] == run.info.id
    assert origins["version"] in {trial.info.subject_version for trial in run.trials}
    trial = next(trial for trial in run.trials if trial.summary.faults)
    outage_s = trial.summary.faults[0].outage_s
    assert properties(suites.find(f".//testcase[@name='{trial.name}']")).get("outage_s") == str(outage_s)


def test_a_suite_took_as_long_as_its_trials(suites: ElementTree.Element) -> None:
    took_s = sum(trial.summary.wall_s or 0 for trial in sample.whole_run().trials)
    assert float(suites.get("time", "")) == pytest.approx(took_s, abs=0.01)


def attachments(run: RunView, folder: Path) -> list[str]:
    root = ElementTree.fromstring(junit(run, RunFolder(folder)))
    lines = [line for said in root.iter("system-out") for line in (said.text or "").splitlines()]
    return [line.removeprefix("[[ATTACHMENT|").removesuffix("]]") for line in lines if "[[ATTACHMENT|" in line]


def test_a_trial_that_did_not_pass_has_its_files_attached_and_its_capture_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = sample.trial(verdict="fail")
    there = tmp_path / "trials" / failed.name
    for name in ("capture/public.pcap", "hosts/A/messages.log", "timeline.jsonl"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_text("")
    (there / "secret").symlink_to("/etc/passwd")
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    in_order = ["capture/public.pcap", "timeline.jsonl", "hosts/A/messages.log"]
    assert attachments(sample.run(failed), tmp_path) == [str((there / name).resolve()) for name in in_order]
    assert attachments(sample.run(sample.trial()), tmp_path) == []
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path))  # GitLab looks for them from there
    assert attachments(sample.run(failed), tmp_path)[0] == f"trials/{failed.name}/capture/public.pcap"


def test_nothing_that_a_guest_or_a_folder_wrote_attaches_a_file(tmp_path: Path) -> None:
    failed = sample.trial(verdict="fail")
    odd = tmp_path / "trials" / failed.name / "]]\n[[ATTACHMENT|" / "etc"
    odd.mkdir(parents=True)
    (odd / "shadow").write_text("")
    claim = sample.claim("A1", measured="\n[[ATTACHMENT|/etc/shadow]]\n")
    assert attachments(sample.run(failed).model_copy(update={"claims": [claim]}), tmp_path) == []


def test_a_run_that_broke_off_is_an_error_beside_what_was_measured() -> None:
    root = ElementTree.fromstring(junit(sample.whole_run(), broken_off="B does not boot"))
    assert [error.get("message") for error in root.iter("error")] == ["B does not boot"]
    assert root.get("errors") == "1"
    assert len(list(root.iter("testcase"))) == len(sample.whole_run().trials) + len(sample.whole_run().claims) + 1


def test_a_difference_with_a_known_cause_passes_and_says_why() -> None:
    claim = sample.claim("A6", verdict="differs", explained=True, why="known cause")
    root = ElementTree.fromstring(junit(sample.run(sample.trial()).model_copy(update={"claims": [claim]})))
    assert not list(root.iter("failure"))
    assert "known cause" in (root.findtext(".//system-out") or "")


def test_a_claim_that_does_not_apply_says_so_in_every_form_and_counts_for_nothing(tmp_path: Path) -> None:
    claims = [sample.claim("P1"), sample.claim("P2", verdict="inapplicable", why="there is no disk to clone")]
    run = sample.run(sample.trial()).model_copy(update={"claims": claims})
    root = ElementTree.fromstring(junit(run))
    assert [one.get("message") for one in root.iter("skipped")] == ["inapplicable: there is no disk to clone"]
    assert "| P2 | vipd | – does not apply |" in markdown(run)
    console = Console(width=100, record=True)
    console.print(summary_table(run))
    assert "P2  does not apply (vipd)" in console.export_text()
    page = write_single(RunFolder(tmp_path), run).read_text()
    assert "– does not apply" in page
    assert "1 of 1 results reproduce the article" in page


def test_hostile_data_stays_text_in_xml() -> None:
    root = ElementTree.fromstring(junit(hostile_run()))
    failure = root.find(".//testcase/failure")
    assert failure is not None
    assert "<script>" in failure.get("message", "")
    assert "\u241b[31m\u2400\ufffd" in failure.get("message", "")


def test_exports_are_the_same_twice() -> None:
    run = sample.whole_run()
    again = RunView.model_validate_json(run.model_dump_json(by_alias=True))
    assert (junit(run), markdown(run)) == (junit(again), markdown(again))


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_head() -> None:
    for text in (markdown(sample.whole_run()), markdown(hostile_run())):
        tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
        assert len(tables) == 2
        for table in tables:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_markdown_tells_of_both_faults_of_case_d_and_of_what_differs() -> None:
    text = markdown(sample.whole_run())
    assert "| Case C: the interface goes down | vipd | 4.200\u00a0s |" in text
    assert "| A6 | vipd | ≈ differs, explained |" in text


@given(st.text(st.characters(), max_size=100))
def test_nothing_that_a_guest_wrote_is_active_in_markdown(text: str) -> None:
    shown = escape(text)
    assert "\n" not in shown
    for char in "<>[]`|*_":
        assert re.search(rf"(?<!\\)(?:\\\\)*{re.escape(char)}", shown) is None
    assert re.search(r"@(?!&#8203;)", shown) is None


def test_nothing_summons_anybody_or_makes_a_link() -> None:
    shown = escape("@you http://x.example www.x.example")
    assert "@you" not in shown
    assert not re.search(r"(?<!;)(?:http:|www\.)", shown)


def test_a_run_without_trials_has_both_forms() -> None:
    assert "holds no trial" in markdown(sample.run())
    assert ElementTree.fromstring(junit(sample.run())).tag == "testsuites"
