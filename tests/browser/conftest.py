"""A browser, and the sample's report as files and behind `viplab serve`."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from viplab.analysis.run import analyze, write_summary
from viplab.report.forms import write_site
from viplab.report.serve import server
from viplab.run_folder import RunFolder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SAMPLE = Path(__file__).parents[2] / "results" / "sample"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed; `nox -s browser` brings it")
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings it")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A copy of the sample with its report written."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "sample")
    shutil.copytree(SAMPLE, folder.path)
    view = analyze(folder)
    write_summary(folder, view)
    write_site(folder, view)
    return folder


@pytest.fixture(scope="session")
def addresses(run: RunFolder) -> Iterator[dict[str, str]]:
    """Every page by name: the site's and the single file as files, the two of `viplab serve` over HTTP."""
    answering = server(lambda: [run], 0)
    thread = threading.Thread(target=answering.serve_forever, daemon=True)
    thread.start()
    served = f"http://127.0.0.1:{answering.server_port}"
    yield {
        **{path.name: path.as_uri() for path in sorted(run.site.glob("*.html"))},
        "report.html": run.report.as_uri(),
        "runs": f"{served}/",
        "comparison": f"{served}/compare?base=sample&new=sample",
        "served": f"{served}/runs/sample/report/index.html",
    }
    answering.shutdown()
    answering.server_close()
    thread.join()
