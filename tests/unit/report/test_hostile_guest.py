"""A guest that means harm, through analysis and into every form: what it wrote is shown, and never acts."""

from __future__ import annotations

import io
import json
import random
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console

from support import synthetic
from viplab.analysis.run import analyze, summary_bytes
from viplab.analysis.views import RunView
from viplab.report.console import summary_table
from viplab.report.forms import write_site
from viplab.report.junit import junit
from viplab.report.markdown import markdown
from viplab.run_folder import RunFolder

SCRIPT = b"<script>alert(1)</script><img src=x onerror=alert(1)>'\"><svg onload=alert(1)>{{ 7*7 }}{% raw %}"
ESCAPES = b"\x1b[2J\x1b]0;owned\x07\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\\x9b31m\x08\x08\x00"
INVALID = b"\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"
BIDI = "\u202egnp.exe\u2066\u200b\ufeff".encode()
STAMP = b"Nov 23 01:23:04 "
LINES = [
    STAMP + b"centOS-hostB Keepalived_vrrp: VRRP_Instance(VI_1) " + payload
    for payload in (SCRIPT, ESCAPES, INVALID, BIDI, b"A" * 1_000_000, b"`" * 3000, b"@all #1 [x](javascript:alert(1))")
] + [SCRIPT + ESCAPES + INVALID, b"\r\n\r\r", STAMP + SCRIPT + b" " + ESCAPES + b": x", b"<" * 1_000_000]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of case C and power-cut in which every file that a guest or the wire can write into holds all of it."""
    made = [synthetic.CASES[name]("keepalived-1.2.2") for name in ("case-c", "case-a")]
    folder = RunFolder(synthetic.write_run(tmp_path_factory.mktemp("hostile") / "run", made))
    noise = random.Random(5).randbytes(5000)
    for trial in folder.trials():
        for host in ("A", "B"):
            for name in ("messages.log", "precise.log", "keepalived.conf", "console.log"):
                path = trial.path / "hosts" / host / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("ab") as file:
                    file.write(b"\n".join([*LINES, noise]) + b"\n")
        with trial.ping.open("ab") as file:
            file.write(b"\n".join([*LINES, b"64 bytes from <b>x</b>: icmp_seq=99999 ttl=64 time=1e9 ms", noise]))
        info = json.loads((trial.path / "trial.json").read_text())
        info["title"] = f"Case: {SCRIPT.decode()}\x1b[31m"
        info["subject_version"] = f"1 {SCRIPT.decode()} \u202e"
        for station in info["stations"].values():
            station["hostname"] = f"{SCRIPT.decode()}\x07"
        (trial.path / "trial.json").write_text(json.dumps(info))
        with (trial.path / "scenario.yaml").open("a") as file:
            file.write(f"\nstory: {json.dumps(SCRIPT.decode() + ' `code` ' + chr(27))}\n")
        with trial.timeline.open("a") as file:
            for event in (
                {"event": "arp", "when": "after", "text": f"? (192.168.122.50) at {SCRIPT.decode()} \x1b[31m"},
                {"event": "step_started", "step": SCRIPT.decode() + "\x1b", "phase": "steps"},
            ):
                file.write(json.dumps({"t_ns": 10**19, **event}) + "\n")
        with trial.capture("public").open("ab") as file:
            file.write(noise)
    return folder


@pytest.fixture(scope="module")
def view(run: RunFolder) -> RunView:
    return analyze(run)


@pytest.fixture(scope="module")
def pages(run: RunFolder, view: RunView) -> dict[str, str]:
    write_site(run, view)
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(run.site.iterdir())}
    return {**found, "report.html": run.report.read_text(encoding="utf-8")}


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.hrefs: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hrefs |= {value or "" for name, value in attrs if name == "href"}


def test_no_page_has_a_tag_an_attribute_or_a_link_that_we_did_not_write(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        found = _Tags(page)
        assert not {"script", "img", "iframe", "object", "b/", "embed", "form"} & found.tags, name
        assert not [attribute for attribute in found.attributes if attribute.startswith("on")], name
        assert not [href for href in found.hrefs if ":" in href], name
        assert "style" not in found.attributes, name


def test_what_the_guest_wrote_is_there_to_be_read(pages: dict[str, str]) -> None:
    page = pages["part-3.html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }}" in page
    assert "\u241b[2J\u241b]0;owned\u2407" in page
    assert "&lt;U+202E&gt;gnp.exe" in page
    assert "more characters)" in page


def test_no_control_and_no_invisible_character_is_left(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", page) == [], name


def test_megabytes_of_log_do_not_make_megabytes_of_page(pages: dict[str, str]) -> None:
    assert max(map(len, pages.values())) < 2_000_000


def test_the_other_forms_take_it_too(view: RunView) -> None:
    assert ElementTree.fromstring(junit(view)).tag == "testsuites"
    text = markdown(view)
    assert "<script" not in text.replace("\\<script", "")
    assert "\x1b" not in text
    assert json.loads(summary_bytes(view))["schema"] == 1
    stream = io.StringIO()
    Console(file=stream, width=100, force_terminal=False).print(summary_table(view))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", stream.getvalue())


def test_twice_gives_the_same_bytes(run: RunFolder, pages: dict[str, str]) -> None:
    again = analyze(run)
    write_site(run, again)
    assert {name: (run.site / name).read_text(encoding="utf-8") for name in pages if name != "report.html"} == {
        name: page for name, page in pages.items() if name != "report.html"
    }
