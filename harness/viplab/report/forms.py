"""A run's report on disk: one file, and a static site beside the evidence that it links to."""

from __future__ import annotations

from pathlib import Path

from viplab.analysis.views import RunView
from viplab.regular_files import regular_files, remove_regular, write_regular
from viplab.report.site import Site
from viplab.run_folder import RunFolder


def write_single(run: RunFolder, view: RunView) -> Path:
    """Write `report.html`: one self-contained file, to be mailed and archived."""
    return _write_file(run.report, Site(run, view))


def write_file(path: Path, view: RunView) -> Path:
    """Write that one file under a name of one's own; away from the run's folder it links to no raw files."""
    return _write_file(path, Site(RunFolder(path.parent), view))


def write_site(run: RunFolder, view: RunView) -> Path:
    """Write `report/`, a page a part, and `report.html` with it; return the site's first page.

    Plots take nearly all of the time and are drawn once for both. Pages of an earlier report go.
    """
    site = Site(run, view)
    pages = site.site()
    run.path.mkdir(parents=True, exist_ok=True)
    for stale in regular_files(run.path, run.site):
        if stale.parent == run.site and stale.suffix == ".html" and stale.name not in pages:
            remove_regular(run.path, stale)
    for name, page in pages.items():
        write_regular(run.path, run.site / name, _octets(page))
    _write_file(run.report, site)
    return run.site / "index.html"


def _write_file(path: Path, site: Site) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_regular(path.parent, path, _octets(site.single()))
    return path


def _octets(page: str) -> bytes:
    """A name that is no UTF-8, as a folder from elsewhere may have, is spelled out."""
    return page.encode(errors="backslashreplace")
