from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.store import RunStore, baseline_path, reference_claims
from viplab.types import Provenance


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIPLAB_RESULTS", str(tmp_path))
    for name in ("20261123T0100Z-aaaa", "20261123T0200Z-bbbb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    (tmp_path / "latest").symlink_to("20261123T0200Z-bbbb")
    return tmp_path


@pytest.mark.parametrize("word", ["latest", "20261123T02", "20261123T0200Z-bbbb"])
def test_a_run_is_found_by_its_id_the_beginning_of_it_or_latest(runs: Path, word: str) -> None:
    assert RunStore().find(word).path == runs / "20261123T0200Z-bbbb"


def test_a_run_is_found_by_its_folder_too(runs: Path) -> None:
    assert RunStore().find(str(runs / "20261123T0100Z-aaaa")).path.name == "20261123T0100Z-aaaa"


def test_a_comparison_takes_a_run_by_its_folder_too(runs: Path) -> None:
    folder = runs / "20261123T0100Z-aaaa"
    assert RunStore().find_points(f"{folder}/") == folder
    with pytest.raises(InputError, match="no run"):
        RunStore().find_points(str(runs / "none"))


def test_runs_are_kept_where_the_option_says_or_the_environment_or_below_where_one_stands(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert RunStore(tmp_path / "named").root == tmp_path / "named"
    assert RunStore().root == runs
    monkeypatch.delenv("VIPLAB_RESULTS")
    monkeypatch.chdir(tmp_path)
    assert RunStore().root == tmp_path / "results" / "runs"
    assert baseline_path("x") == tmp_path / "results" / "baselines" / "x.json"


def test_a_new_run_is_the_latest_and_has_the_claims_with_it(tmp_path: Path) -> None:
    provenance = Provenance(
        git=None, argv=[], host_kernel="", qemu=None, libvirt=None, accel=None, image=None, packages={}
    )
    store = RunStore(tmp_path / "kept" / "here")
    made = store.new(provenance, 7)
    assert store.find("latest").path == made.path
    assert made.info().seed == 7
    assert made.reference.read_bytes() == reference_claims().read_bytes()


def test_an_ambiguous_beginning_is_refused(runs: Path) -> None:
    with pytest.raises(InputError, match="stands for 2 runs"):
        RunStore().find("20261123")


def test_no_run_says_what_lists_them(runs: Path) -> None:
    with pytest.raises(InputError, match=r"no run 'x'.*viplab runs"):
        RunStore().find("x")


def test_runs_are_listed_newest_first_and_latest_is_none_of_them(runs: Path) -> None:
    assert [run.path.name for run in RunStore().runs()] == ["20261123T0200Z-bbbb", "20261123T0100Z-aaaa"]


@pytest.mark.parametrize("name", ["../outside", "a/b", "", "/etc/passwd"])
def test_a_baseline_s_name_cannot_lead_out_of_the_folder(name: str) -> None:
    with pytest.raises(InputError, match="letters, digits"):
        baseline_path(name)


def test_a_folder_that_has_lost_its_run_json_is_found_so_that_this_can_be_said(runs: Path) -> None:
    (runs / "20261123T0100Z-aaaa" / "run.json").unlink()
    (runs / "20261123T0100Z-aaaa" / "trials").mkdir()
    with pytest.raises(InputError, match=r"run\.json: missing; this is not a whole viplab run folder"):
        RunStore().find("20261123T0100Z-aaaa").info()
