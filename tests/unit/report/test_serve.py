"""Rules of the server and of the pages that only it shows."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from support import report_sample as sample
from viplab.analysis.run import write_summary
from viplab.analysis.views import RunView
from viplab.errors import HostError
from viplab.metrics import Shown, shown_in
from viplab.report import compared, outline, run_index
from viplab.report.forms import write_site
from viplab.report.serve import server
from viplab.run_folder import RunFolder

OLD, NEW, BARE = "20260914T101500Z-1f3c", "20260915T101500Z-2a4d", "20260916T101500Z-3b5e"


def made(root: Path, name: str, view: RunView) -> RunFolder:
    run = RunFolder(root / name)
    (run.path / "trials").mkdir(parents=True)
    renamed = view.model_copy(update={"info": view.info.model_copy(update={"id": name})})
    write_summary(run, renamed)
    write_site(run, renamed)
    return run


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("results") / "runs"
    old = made(root, OLD, sample.run(sample.trial("case-c", outage_s=4.2)))
    made(root, NEW, sample.run(sample.trial("case-c", outage_s=4.5)))
    (root / BARE).mkdir()
    (root.parent / "secret.txt").write_text("secret")
    (old.path / "odd name#1.log").write_text("<script>alert(1)</script>")
    (old.path / "page.html").write_text("<script>alert(1)</script>")
    (old.path / "a.pcap").write_bytes(b"\xd4\xc3\xb2\xa1")
    (old.path / "way-out").symlink_to(root.parent / "secret.txt")
    (old.path / "within").symlink_to("a.pcap")
    (old.path / "around").symlink_to("report")
    os.mkfifo(old.path / "fifo")
    return root


@pytest.fixture(scope="module")
def address(root: Path) -> Iterator[tuple[str, int]]:
    answering = server(lambda: [RunFolder(root / name) for name in (BARE, NEW, OLD)], 0)
    thread = threading.Thread(target=answering.serve_forever, daemon=True)
    thread.start()
    yield "127.0.0.1", answering.server_port
    answering.shutdown()
    answering.server_close()
    thread.join()


def ask(
    address: tuple[str, int], path: str, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request(method, path, headers={"Host": host or f"{address[0]}:{address[1]}"})
    answer = connection.getresponse()
    body = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_it_listens_on_loopback_only() -> None:
    with server(list, 0) as answering:
        assert isinstance(answering, ThreadingHTTPServer)
        assert answering.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said_in_one_line(address: tuple[str, int]) -> None:
    with pytest.raises(HostError, match="--port chooses another"):
        server(list, address[1])


def test_the_list_has_every_run_in_the_order_given_and_what_is_missing(address: tuple[str, int]) -> None:
    status, headers, page = ask(address, "/")
    assert status == 200
    assert page.index(BARE) < page.index(NEW) < page.index(OLD)
    assert f"viplab analyze {BARE}" in page
    assert f'href="/runs/{OLD}/report/index.html"' in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_report_and_its_files_are_sent(address: tuple[str, int]) -> None:
    for path, kind in (
        ("report.html", "text/html"),
        ("report/index.html", "text/html"),
        ("report/part-3.html", "text/html"),
        ("summary.json", "text/plain"),
        ("a.pcap", "application/octet-stream"),
    ):
        status, headers, _ = ask(address, f"/runs/{OLD}/{path}")
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, kind)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "script-src" not in headers["Content-Security-Policy"]


def test_nothing_but_the_reports_own_pages_is_html(address: tuple[str, int]) -> None:
    for path in ("odd%20name%231.log", "page.html"):
        status, headers, body = ask(address, f"/runs/{OLD}/{path}")
        assert status == 200
        assert "<script>" in body
        assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        f"/runs/{OLD}/../../secret.txt", f"/runs/{OLD}/%2e%2e/%2e%2e/secret.txt", f"/runs/{OLD}/..%2f..%2fsecret.txt",
        f"/runs/{OLD}/way-out", f"/runs/{OLD}/%00", f"/runs/{OLD}//etc/passwd", f"/runs/{OLD}/", f"/runs/{OLD}",
        f"/runs/{OLD}/..%5c..%5csecret.txt", "/runs/../secret.txt", "/runs/..", "/runs/nope/report.html", "/etc/passwd",
        "//etc/passwd", f"/runs/{OLD}/report", "/compare", f"/compare?base={OLD}", f"/compare?base={OLD}&new=../{OLD}",
        f"/compare?base={OLD}&new={BARE}", "/" + "a" * 5000, f"/runs/{OLD}/" + "a" * 5000, f"/runs/{OLD}/within",
        f"/runs/{OLD}/around/index.html", f"/runs/{OLD}/fifo", f"/runs/{OLD}/a%00b", "/%00", "/runs/%00/x", "/%ff%fe",
    ],
)  # fmt: skip
def test_a_path_leads_into_a_run_or_nowhere(address: tuple[str, int], path: str) -> None:
    status, headers, body = ask(address, path)
    assert status == 404
    assert headers["Content-Type"].startswith("text/plain")
    assert "secret" not in body.replace("secret.txt", "")
    assert "root:" not in body


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"//[", 404), (b"http://[", 400), (b"http://[x]/", 400), (b"/\xff\xfe", 404), (b"/\xc3\xa4", 404), (b"*", 404),
        (b"a b", 400), (b"/" + b"a" * 70_000, 414), (b"/compare?" + b"a=1&" * 10_000, 404),
    ],
)  # fmt: skip
def test_a_malformed_address_is_answered_and_nothing_is_printed(
    address: tuple[str, int], capfd: pytest.CaptureFixture[str], target: bytes, status: int
) -> None:
    with socket.create_connection(address, timeout=10) as asker:
        host = f"{address[0]}:{address[1]}".encode()
        asker.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        said = asker.recv(100)
    assert said.partition(b"\r\n")[0].split()[1] == str(status).encode()
    assert capfd.readouterr() == ("", "")
    assert ask(address, "/")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "<script>"])
def test_it_only_reads(address: tuple[str, int], method: str) -> None:
    status, headers, _ = ask(address, "/", method)
    assert status in (400, 501)
    assert headers["Content-Type"].startswith("text/plain")


def test_head_is_get_without_the_body(address: tuple[str, int]) -> None:
    for path in ("/", f"/runs/{OLD}/report.html"):
        _, expected, _ = ask(address, path)
        status, headers, body = ask(address, path, "HEAD")
        assert (status, body) == (200, "")
        assert headers["Content-Length"] == expected["Content-Length"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost:1", "[::1]"])
def test_a_request_that_names_another_host_reads_nothing(address: tuple[str, int], host: str) -> None:
    status, _, body = ask(address, "/", host=host)
    assert status == 403
    assert OLD not in body


def test_two_runs_stand_side_by_side(address: tuple[str, int]) -> None:
    status, _, page = ask(address, f"/compare?base={OLD}&new={NEW}")
    assert status == 200
    assert "4.200\u00a0s" in page
    assert "4.500\u00a0s" in page
    assert "+300\u00a0ms" in page


def test_what_was_made_under_other_conditions_is_said() -> None:
    old = sample.run(sample.trial()).summary
    new = old.model_copy(
        update={"provenance": old.provenance.model_copy(update={"host_kernel": "7.0", "image": "debian-12-x"})}
    )
    page = run_index.comparison_page(old, new)
    assert f"host kernel: {old.provenance.host_kernel} and 7.0" in page
    assert f"image: {old.provenance.image} and debian-12-x" in page
    assert "held against" in page
    assert "same conditions" not in run_index.comparison_page(old, old)


def test_a_claim_whose_verdict_changed_is_listed() -> None:
    old = sample.run(sample.trial()).summary
    claim = old.claims[0].model_copy(update={"verdict": "undecided"})
    new = old.model_copy(update={"claims": [claim, *old.claims[1:]]})
    assert run_index.turns(old, new) == [run_index.Turn(claim.id, claim.subject, "reproduced", "undecided")]
    assert run_index.turns(old, old) == []


def test_runs_that_cannot_be_compared_say_why() -> None:
    old = sample.run(sample.trial("case-c", outage_s=4.2)).summary
    other = sample.run(sample.trial("case-a")).summary
    assert "nothing can be compared" in run_index.comparison_page(old, other)


def test_few_trials_are_undecided_and_never_called_the_same() -> None:
    old = sample.run(sample.trial("case-c", outage_s=4.2)).summary
    found = compared.runs(old, old)
    assert found.verdict == "undecided"
    assert {row.mark for row in found.rows} == {"?"}


def test_subjects_of_one_run_are_held_against_each_other() -> None:
    run = sample.whole_run()
    (pair,) = compared.subjects(run.summary, outline.subjects(run))
    assert (pair.base, pair.new) == ("vipd/keepalived-1.2.2", "keepalived/keepalived-2")
    assert {row.scenario for row in pair.rows} >= {"case-a", "case-c"}
    assert {compared.metric_words(row).partition(",")[0] for row in pair.rows} <= {
        metric.words for metric in shown_in(Shown.SIDES).values()
    }
