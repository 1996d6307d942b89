"""Make `docs/report.png`, the README's picture: the top of the sample's report as Chromium shows it.

`nox -s picture` runs it where Playwright is installed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from viplab.analysis.run import analyze
from viplab.report.forms import write_single
from viplab.run_folder import RunFolder

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "results" / "sample"
WIDTH, MARGIN, SCALE = 1440, 28, 1.5


def take(target: Path) -> None:
    """Draw the sample's report and keep its head: the result, the cases at a glance."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("chromium: not found; `apt-get install chromium` brings it")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        run = RunFolder(Path(folder) / "sample")
        shutil.copytree(SAMPLE, run.path)
        page_file = write_single(run, analyze(run))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": WIDTH, "height": 1000}, device_scale_factor=SCALE, color_scheme="light"
        )
        page.goto(page_file.as_uri())
        main = page.locator("main").bounding_box()
        table = page.locator("table.glance").first.bounding_box()
        assert main
        assert table
        page.screenshot(
            path=target, full_page=True,
            clip={
                "x": main["x"] - MARGIN, "y": main["y"] - MARGIN, "width": main["width"] + 2 * MARGIN,
                "height": table["y"] + table["height"] - main["y"] + MARGIN + 8,
            },
        )  # fmt: skip
        browser.close()


if __name__ == "__main__":
    take(HERE / "report.png")
