"""What a reader's browser makes of the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = (
    "index.html", "part-1.html", "part-2.html", "part-3.html", "beyond.html", "puzzles.html", "claims.html",
    "matrix.html", "subjects.html", "method.html", "files.html", "report.html", "runs", "comparison", "served",
)  # fmt: skip
every_page = pytest.mark.parametrize("name", PAGES)
both_schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


@contextmanager
def opened(browser: Browser, address: str, width: int = 1440, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """The page at an address, and all that the browser had to say about it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("request", lambda request: said.append(f"request: {request.url}"))
    page.goto(address)
    yield page, said
    context.close()


@every_page
@both_schemes
@pytest.mark.parametrize("width", [1440, 390])
def test_it_loads_nothing_says_nothing_and_does_not_scroll_sideways(
    browser: Browser, addresses: dict[str, str], name: str, scheme: str, width: int
) -> None:
    with opened(browser, addresses[name], width, color_scheme=scheme) as (page, said):
        assert said == [f"request: {addresses[name]}"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@every_page
def test_every_picture_has_a_text(browser: Browser, addresses: dict[str, str], name: str) -> None:
    with opened(browser, addresses[name]) as (page, _):
        pictures = page.locator("svg, img")
        for at in range(pictures.count()):
            assert len(pictures.nth(at).get_attribute("aria-label") or "") > 20


@every_page
@both_schemes
def test_axe_finds_nothing_serious(browser: Browser, addresses: dict[str, str], name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="`nox -s browser` brings axe-core")
    with opened(browser, addresses[name], color_scheme=scheme) as (page, _):
        found = axe.Axe().run(page).response["violations"]
    serious = [violation for violation in found if violation["impact"] in ("serious", "critical")]
    assert [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in serious] == []


@pytest.mark.parametrize("name", [name for name in PAGES if name.endswith(".html")])
def test_every_link_leads_to_a_file_or_a_place(browser: Browser, addresses: dict[str, str], name: str) -> None:
    with opened(browser, addresses[name]) as (page, _):
        targets = page.evaluate("[...document.links].map(link => [link.href, link.hash])")
        ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)"))
    assert targets
    for href, fragment in targets:
        path = url2pathname(unquote(urlsplit(href).path))
        if path == url2pathname(unquote(urlsplit(addresses[name]).path)):
            assert fragment[1:] in ids or not fragment, href
        else:
            assert href.startswith("file:")
            assert Path(path).is_file(), href


@pytest.mark.parametrize("name", ["report.html", "index.html", "part-3.html"])
def test_it_prints(browser: Browser, addresses: dict[str, str], name: str) -> None:
    with opened(browser, addresses[name]) as (page, _):
        document = page.pdf(format="A4")
    assert document.startswith(b"%PDF")
    assert len(document) > 20_000


def test_a_run_is_found_from_the_list_and_two_are_compared_without_a_script(
    browser: Browser, addresses: dict[str, str]
) -> None:
    with opened(browser, addresses["runs"], java_script_enabled=False) as (page, _):
        page.get_by_role("button", name="Compare").click()
        assert "Two runs side by side" in (page.locator("h1").text_content() or "")
        page.get_by_role("link", name="All runs").click()
        page.get_by_role("link", name="sample", exact=True).click()
        assert "Who answers" in (page.locator("h1").text_content() or "")


def test_dark_is_dark_in_the_plots_too(browser: Browser, addresses: dict[str, str]) -> None:
    with opened(browser, addresses["index.html"], color_scheme="dark") as (page, _):
        colour = page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    assert min(red, green, blue) > 120
