"""Rules of the static site, and of what is written into a run folder."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support import report_sample as sample
from viplab.report.forms import write_single, write_site
from viplab.run_folder import RunFolder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with one raw file of an odd name, its site written."""
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    view = sample.whole_run()
    raw = folder.path / "trials" / view.trials[1].name / "hosts" / "A"
    raw.mkdir(parents=True)
    (raw / "odd & name#1?.log").write_bytes(b"\xff")
    write_site(folder, view)
    return folder


def pages(run: RunFolder) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(run.site.iterdir())}


def test_the_site_has_a_page_a_part(run: RunFolder) -> None:
    names = {
        "index",
        "part-1",
        "part-2",
        "part-3",
        "beyond",
        "puzzles",
        "claims",
        "matrix",
        "subjects",
        "method",
        "files",
    }
    assert set(pages(run)) == {f"{name}.html" for name in names}


def test_a_run_of_other_scenarios_than_the_article_s_says_nothing_of_it(tmp_path: Path) -> None:
    trials = [sample.trial("failover", subject, number) for number in (1, 2) for subject in ("vipd", "keepalived")]
    unsettled = [puzzle.model_copy(update={"settled": False}) for puzzle in sample.whole_run().puzzles]
    view = sample.run(*trials, subjects=("vipd", "keepalived")).model_copy(update={"claims": [], "puzzles": unsettled})
    write_site(RunFolder(tmp_path), view)
    written = pages(RunFolder(tmp_path))
    assert set(written) == {f"{name}.html" for name in ("index", "beyond", "subjects", "method", "files")}
    assert "None of the article’s cases was run. Trials: 4 pass." in written["index.html"]


def test_every_link_of_the_site_leads_somewhere(run: RunFolder) -> None:
    ids = {name: set(re.findall(r' id="([^"]+)"', page)) for name, page in pages(run).items()}
    for name, page in pages(run).items():
        for href in re.findall(r' href="([^"]*)"', page):
            to = urlsplit(href.replace("&amp;", "&"))
            if to.path.startswith("../"):
                assert (run.site / unquote(to.path)).is_file(), href
                continue
            assert (to.path or name) in ids, href
            assert not to.fragment or to.fragment in ids[to.path or name], href


def test_no_page_of_the_site_loads_anything(run: RunFolder) -> None:
    for page in pages(run).values():
        assert "default-src &#39;none&#39;" in page
        assert not re.search(r"<(?:script|link|iframe|object|embed|img|base|form)\b", page)
        assert re.findall(r"https?:|//[a-z]", page) == []


def test_every_page_says_where_it_is_and_has_one_heading(run: RunFolder) -> None:
    for name, page in pages(run).items():
        assert page.count('aria-current="page"') == 1, name
        assert page.count("<h1") == 1, name


def test_writing_again_gives_the_same_bytes_and_takes_stale_pages_away(tmp_path: Path) -> None:
    run, view = RunFolder(tmp_path), sample.run(sample.trial())
    write_site(run, view)
    before, single = pages(run), run.report.read_bytes()
    (run.site / "gone.html").write_text("of an older report")
    write_site(run, view)
    assert pages(run) == before
    assert run.report.read_bytes() == single


def test_the_single_file_alone_makes_no_site(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_single(folder, sample.run(sample.trial()))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_run_without_trials_has_a_site_too(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_site(folder, sample.run())
    assert {"index.html", "part-1.html", "claims.html"} <= set(pages(folder))


def test_a_reason_that_several_rows_of_a_comparison_share_is_said_once_below_it(tmp_path: Path) -> None:
    subjects = ("vipd", "keepalived")
    view = sample.run(*(sample.trial("power-cut", subject, outage_s=4.2) for subject in subjects), subjects=subjects)
    write_site(RunFolder(tmp_path), view)
    page = pages(RunFolder(tmp_path))["subjects.html"]
    assert page.count("too few values") == 1
    assert page.count("? undecided</span><sup>1</sup>") > 1
