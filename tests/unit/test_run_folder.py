from pathlib import Path

import pytest

from viplab.run_folder import TrialFolder


@pytest.mark.parametrize("written", ["public", "virbr0"])
def test_a_network_has_one_name_whatever_the_run_called_it(tmp_path: Path, written: str) -> None:
    (tmp_path / "capture").mkdir()
    (tmp_path / "capture" / f"{written}.pcap").touch()
    (tmp_path / "timeline.jsonl").write_text(
        f'{{"t_ns": 1, "event": "capture_stopped", "network": "{written}", "packets": 1, "dropped": 0}}\n'
    )
    folder = TrialFolder(tmp_path)
    assert folder.capture("public").name == f"{written}.pcap"
    assert [event["network"] for event in folder.events()] == ["public"]


def test_a_capture_that_is_not_there_is_missed_under_its_present_name(tmp_path: Path) -> None:
    assert TrialFolder(tmp_path).capture("public").name == "public.pcap"
