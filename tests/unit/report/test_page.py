"""Rules of the HTML report."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from support import report_sample as sample
from support import synthetic
from support.report_evidence import log
from viplab.analysis.run import analyze
from viplab.analysis.summary import CaptureSummary
from viplab.analysis.views import LogLine, PingView, RunView
from viplab.report.site import render
from viplab.report.svg import PALETTE
from viplab.run_folder import RunFolder
from viplab.types import Station

VOID = {"meta", "br", "img", "hr", "link", "input", "col", "wbr"}


@pytest.fixture(scope="module")
def view() -> RunView:
    return sample.whole_run()


@pytest.fixture(scope="module")
def page(view: RunView, tmp_path_factory: pytest.TempPathFactory) -> str:
    return render(RunFolder(tmp_path_factory.mktemp("run")), view)


class _Reader(HTMLParser):
    """Tags in their nesting, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def cell(page: str, row: str) -> str:
    """What stands right of a row's heading in `All metrics of this trial`."""
    match = re.search(rf">{row}<small>.*?</th><td class=\"num\">(.*?)</td>", page)
    assert match is not None
    return match[1]


def test_tags_are_closed_in_their_order(page: str) -> None:
    reader = _Reader(page)
    assert reader.wrong == []
    assert reader.open == []


def test_every_id_is_unique_and_every_link_inside_the_page_resolves(page: str) -> None:
    reader = _Reader(page)
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    inside = [value[1:] for value in reader.values("href") if value.startswith("#")]
    assert set(inside) <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", page)) <= set(ids)


def test_the_page_loads_nothing(page: str) -> None:
    reader = _Reader(page)
    assert not {"script", "link", "iframe", "object", "embed", "img", "base", "form"} & set(reader.tags)
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert re.findall(r"https?:|//[a-z]", page) == []


def test_the_policy_allows_this_style_sheet_and_nothing_else(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert style is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert "default-src &#39;none&#39;" in policy[1]
    assert f"style-src &#39;sha256-{digest}&#39;;" in policy[1]
    assert "unsafe" not in policy[1]
    assert page.count("<style") == 1
    assert "style" not in {name for _, name, _ in _Reader(page).attributes}
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_the_same_view_gives_the_same_bytes(view: RunView, page: str, folder: RunFolder) -> None:
    assert render(folder, RunView.model_validate_json(view.model_dump_json(by_alias=True))) == page


def test_a_run_of_four_cases_and_more_stays_under_two_megabytes(page: str) -> None:
    assert len(page.encode()) < 2_000_000


def test_every_plot_has_a_text_alternative(page: str) -> None:
    plots = re.findall(r"<svg ([^>]*)>", page)
    assert len(plots) > 20
    assert all('role="img"' in plot and re.search(r'aria-label="[^"]{20,}"', plot) for plot in plots)


def test_every_colour_of_a_plot_has_one_for_dark_mode(page: str) -> None:
    light = {colour for colour, _ in PALETTE.values()}
    drawn = set(re.findall(r' (?:fill|stroke)="(#[0-9a-f]{6})"', page))
    assert len(light) == len(PALETTE)
    assert drawn <= light
    assert all(f'svg [fill="{colour}"]' in page for colour in light)


def test_the_three_parts_come_in_the_order_of_the_article(page: str) -> None:
    order = ["result", "part-1", "part-2", "part-3", "beyond", "puzzles", "claims", "subjects", "method"]
    places = [re.search(rf'<(?:section|header) id="{name}"', page) for name in order]
    assert all(places)
    assert [place.start() for place in places if place] == sorted(place.start() for place in places if place)


def test_what_was_not_measured_is_said_and_never_zero(folder: RunFolder) -> None:
    trial = sample.trial(takeover_s=None, outage_s=None)
    summary = trial.summary.model_copy(update={"capture": CaptureSummary(), "ping": None, "floor_s": None})
    page = render(folder, sample.run(trial.model_copy(update={"summary": summary, "ping": None})))
    for row in ("Client without an answer", "Takeover", "Deadline excess", "Two owners"):
        assert cell(page, row) == '<span class="nm">not measured</span>'
    assert re.search(r"Packets captured.*?not measured.*?not measured", page)
    glance = page[page.index('class="glance"') : page.index('id="part-1"')]
    assert ">0" not in glance
    assert "None" not in "".join(_Reader(page).text)


def test_a_measured_zero_is_a_zero(folder: RunFolder) -> None:
    page = render(folder, sample.run(sample.trial(outage_s=0.0)))
    assert cell(page, "Client without an answer") == "0\u00a0s"
    assert "The client was never without an answer." in page


def test_a_run_without_trials_says_so(folder: RunFolder) -> None:
    page = render(folder, sample.run())
    assert "This run holds no trial" in page
    assert "No claim was judged" in page
    assert _Reader(page).wrong == []


def test_a_trial_that_broke_off_is_shown_with_what_there_is(folder: RunFolder) -> None:
    broken = sample.trial(
        takeover_s=None, outage_s=None, verdict="undecided", ping=None, arp_before=None, arp_after=None, logs={},
        frames=[], swim_lanes=[], probe=[], ping_trips=[], loss_runs=[], faults=[],
        config={}, scenario="", notes=["capture/public.pcap: missing."],
    )  # fmt: skip
    page = render(folder, sample.run(broken).model_copy(update={"notes": ["trials/002-case-b-vipd: no trial.json"]}))
    assert "there is no timeline to draw" in page
    assert "capture/public.pcap: missing." in page
    assert "trials/002-case-b-vipd: no trial.json" in page
    assert "broken off here" in page
    assert "? undecided" in page


def test_two_subjects_stand_side_by_side_and_then_in_sequence(page: str) -> None:
    case = page[page.index('<section id="case-t-case-c"') : page.index('<section id="case-t-case-d"')]
    assert re.search(r"<th class=\"num\">vipd</th><th class=\"num\">keepalived</th>", case)
    assert case.count('class="exhibit"') == 2


def test_several_trials_are_summed_up_with_their_number(page: str) -> None:
    glance = page[page.index('class="glance"') : page.index('id="part-1"')]
    assert "n\u00a0=\u00a02 of 3" in glance
    assert "3.011 to 3.294\u00a0s" in glance


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    "\x1b[31mred\x1b]0;title\x07 {{ 7 * 7 }} \u202egnp\ud800\x00 $\\frac$"
)


def test_hostile_data_is_shown_and_never_acts(folder: RunFolder) -> None:
    base = sample.trial("case-c", outage_s=4.2)
    line = LogLine(host="B", stamp="", time_s=None, uncertainty_s=None, ident=HOSTILE, message=HOSTILE, raw=HOSTILE)
    dated = line.model_copy(update={"stamp": HOSTILE, "time_s": 1.0, "uncertainty_s": 0.1})
    station = Station(hostname=HOSTILE, public_mac=HOSTILE, public_ip=HOSTILE, interconnect_mac=HOSTILE)
    info = base.info.model_copy(
        update={"stations": {"A": station, "B": station, "client": station}, "title": HOSTILE, "vip": HOSTILE}
    )
    assert base.ping is not None
    ping = PingView(text=f"{HOSTILE}\n" * 20, summary=base.ping.summary, replies=[], torn=True)
    lanes = [
        lane.model_copy(update={"intervals": [item.model_copy(update={"label": HOSTILE}) for item in lane.intervals]})
        for lane in base.swim_lanes
    ]
    frames = [frame.model_copy(update={"info": HOSTILE, "source": HOSTILE, "mark": HOSTILE}) for frame in base.frames]
    fault = base.faults[0]
    items = [item.model_copy(update={"label": HOSTILE}) for item in fault.waterfall]
    trial = base.model_copy(
        update={
            "name": f"001-{HOSTILE}", "info": info, "ping": ping, "swim_lanes": lanes, "frames": frames,
            "faults": [fault.model_copy(update={"waterfall": items})], "logs": {"A": [line], "B": [line, dated]},
            "arp_before": HOSTILE, "arp_after": HOSTILE, "config": {"A": {HOSTILE: HOSTILE}}, "notes": [HOSTILE],
            "scenario": f"story: {HOSTILE!r}", "summary": base.summary.model_copy(update={"reason": HOSTILE}),
        }
    )  # fmt: skip
    run = sample.run(trial)
    claims = [sample.claim("A1", measured=f"`{HOSTILE}`", why=HOSTILE, verdict="differs", article=HOSTILE)]
    page = render(folder, run.model_copy(update={"claims": claims, "notes": [HOSTILE]}))
    reader = _Reader(page)
    assert reader.wrong == []
    assert not {"script", "img"} & set(reader.tags)
    assert not [name for name in {name for _, name, _ in reader.attributes} if name.startswith("on")]
    assert "&lt;script&gt;alert(1)" in page
    assert "\u241b[31mred\u241b]0;title\u2407" in page
    assert "<U+202E>gnp" in "".join(reader.text)
    assert "{{ 7 * 7 }}" in "".join(reader.text)
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page) == []
    page.encode("utf-8")


def test_the_rate_that_the_probe_achieved_stands_beside_the_one_that_was_asked_for(folder: RunFolder) -> None:
    page = render(folder, sample.run(sample.trial()))
    assert re.search(r'asked for</small></th><td class="num">50\.00<br>50</td>', page)
    silent = sample.trial().model_copy(update={"probe": []})
    assert re.search(
        r'asked for</small></th><td class="num"><span class="nm">not measured', render(folder, sample.run(silent))
    )


def test_a_line_of_a_megabyte_is_cut_with_a_note(folder: RunFolder) -> None:
    base = sample.trial()
    long = log("B", 1.0, "A" * 1_000_000)
    page = render(folder, sample.run(base.model_copy(update={"logs": {"A": [], "B": [long]}})))
    assert "more characters)" in page
    assert len(page) < 500_000


def test_a_log_of_a_hundred_thousand_lines_is_cut_with_a_note(folder: RunFolder) -> None:
    base = sample.trial()
    flood = [log("B", 1.0, f"line {number}") for number in range(100_000)]
    page = render(folder, sample.run(base.model_copy(update={"logs": {"A": [], "B": flood}})))
    assert "99880 rows left out" in page


def test_the_noise_floor_and_the_known_truth_are_printed_or_said_to_be_missing(
    tmp_path: Path, folder: RunFolder
) -> None:
    assert "viplab run calibration" in render(folder, sample.run(sample.trial()))
    made = [case("keepalived-1.2.2") for case in (synthetic.calibration, synthetic.truth_cut)]
    run = RunFolder(synthetic.write_run(tmp_path / "run", made))
    page = render(run, analyze(run))
    assert "Adverts off their interval" in page
    assert "The instrument against a known truth" in page
    assert _Reader(page).wrong == []


def test_raw_files_are_linked_relative_to_the_report(folder: RunFolder) -> None:
    trial = sample.trial()
    capture = folder.path / "trials" / trial.name / "capture" / "public.pcap"
    capture.parent.mkdir(parents=True)
    capture.write_bytes(b"\0" * 2048)
    page = render(folder, sample.run(trial))
    assert f'<a href="trials/{trial.name}/capture/public.pcap">capture/public.pcap</a>' in page
    assert "2.0\u00a0kB" in page
    assert str(folder.path) not in page


def test_report_reaches_neither_lab_nor_guests() -> None:
    program = (
        "import sys, viplab.report; "
        "print([m for m in sys.modules if m.startswith(tuple('viplab.' + p for p in "
        "('lab', 'inject', 'observe', 'experiment'))) or m in ('libvirt', 'paramiko')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_that_analysis_made_is_rendered_whole(tmp_path: Path) -> None:
    trials = [case("keepalived-1.2.2") for case in synthetic.CASES.values()]
    run = RunFolder(synthetic.write_run(tmp_path / "run", trials))
    page = render(run, analyze(run))
    reader = _Reader(page)
    assert reader.wrong == []
    assert page.count('class="exhibit"') == len(trials)
    assert all(f'id="claim-{claim}"' in page for claim in ("P10", "A6", "B5", "C3", "D6"))
    assert page.count('class="puzzle"') == 5
