"""One run as pages: `Site` holds what every page needs and draws each plot once, whatever forms it goes into.

The pages load nothing and are the same bytes for the same view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from viplab.analysis.matrix import matrix, read_published, worst_first
from viplab.analysis.views import RunView, TrialView
from viplab.metrics import Metric, Shown, shown_in
from viplab.report import (
    adverts,
    compared,
    dots,
    excerpts,
    meaning,
    narrate,
    outline,
    overview,
    settled,
    timeline,
    topology,
    waterfall,
)
from viplab.report.filters import anchor, environment
from viplab.report.matrix import label, quoted
from viplab.report.svg import Drawing
from viplab.run_folder import RunFolder

Link = Callable[..., str]

RESULT = "result"


@dataclass(frozen=True)
class Page:
    """One page of the site, and one section of the single file."""

    key: str
    title: str
    template: str
    chapter: outline.Chapter | None = None

    @property
    def file(self) -> str:
        """Its name within the site."""
        return "index.html" if self.key == RESULT else f"{self.key}.html"


@dataclass
class Site:
    """A run and its view, ready to be printed; `run` is only asked which files there are to link to."""

    run: RunFolder
    view: RunView
    _drawings: dict[str, Drawing | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chapters = outline.chapters(self.view)
        self._chapter_of = {
            group.shown.name: chapter.key
            for chapter in self.chapters
            for case in chapter.cases
            for group in case.groups
        }
        self._context = self._shared()

    @property
    def pages(self) -> list[Page]:
        """Every page, in the order of reading."""
        of_article = [
            *([Page("puzzles", "Open questions, answered", "puzzles.html.j2")] if self.view.puzzles else []),
            Page("claims", "Claims", "claims.html.j2"),
        ]
        return [
            Page(RESULT, "Result", "result.html.j2"),
            *(Page(chapter.key, chapter.title, "chapter.html.j2", chapter) for chapter in self.chapters),
            *(of_article if outline.tells_the_article(self.view) else []),
            *([Page("matrix", "Matrix", "matrix.html.j2")] if len(self._context["matrix"].rows) > 1 else []),
            *([Page("subjects", "Subjects compared", "subjects.html.j2")] if self._context["pairs"] else []),
            Page("method", "Method and provenance", "method.html.j2"),
        ]

    def single(self) -> str:
        """All of it as one self-contained HTML file, which lies in the run folder."""
        link: Link = lambda page, fragment=None: f"#{fragment or page}"  # noqa: E731
        return self._print("single.html.j2", link, "", pages=self.pages)

    def site(self) -> dict[str, str]:
        """All of it as a page a part, by file name; the site lies in a folder of the run folder."""
        files = Page("files", "Raw files", "files.html.j2")
        pages = [*self.pages, files]
        of_key = {page.key: page for page in pages}
        printed = {}
        for place, here in enumerate(pages):

            def link(page: str, fragment: str | None = None, here: Page = here) -> str:
                to = "" if fragment and page == here.key else of_key[page].file
                return f"{to}#{fragment}" if fragment else to

            printed[here.file] = self._print(
                "site.html.j2", link, "../", pages=pages, here=here,
                before=pages[place - 1] if place else None,
                after=pages[place + 1] if place + 1 < len(pages) else None,
            )  # fmt: skip
        return printed

    def _print(self, template: str, link: Link, root: str, **context: Any) -> str:
        def trial_link(name: str) -> str | None:
            return link(self._chapter_of[name], anchor(name)) if name in self._chapter_of else None

        return environment().get_template(template).render(
            **self._context, **context, link=link, trial_link=trial_link, root=root,
            evidence_link=lambda cell: next(filter(None, map(trial_link, cell.trials)), None),
            raw_files=lambda trial: excerpts.raw_files(self.run.path, trial.name, root),
        )  # fmt: skip

    def _shared(self) -> dict[str, Any]:
        view = self.view
        published = read_published()
        found = matrix(view.summary, published)
        return {
            "matrix": found,
            "matrix_label": lambda column: label(found, column),
            "matrix_quoted": quoted(found),
            "worst_first": worst_first,
            "published": published if any(row.published for row in found.rows) else [],
            "view": view,
            "provenance": view.info.provenance,
            "subjects": outline.subjects(view),
            "short": outline.short_names(view),
            "label": lambda subject: overview.subject_label(view, subject),
            "claims_of": lambda group: overview.claims_of(view, group),
            "tally": lambda subject=None: outline.tally(view, subject),
            "chapters": self.chapters,
            "claim_groups": outline.claim_groups(view),
            "tells_the_article": (article := outline.tells_the_article(view)),
            "puzzles": outline.puzzle_rows(view) if article else [],
            "pairs": compared.subjects(view.summary, outline.subjects(view)),
            "bench": topology.bench(view),
            "metrics": _reported(view),
            "glance": overview.glance(),
            "repeated": len(self._chapter_of) < len(view.trials),
            "headline": overview.headline(view),
            "blocks": overview.blocks,
            "meanings": lambda case: meaning.meanings(case, view.presentation.courses),
            "tell": narrate.tell,
            "timeline": self._timeline,
            "waterfall": self._waterfall,
            "adverts": self._adverts,
            "distribution": self._distribution,
            "settled": self._settled,
            "fault_words": timeline.fault_words,
            "configurations": excerpts.configurations,
            "is_omission": lambda row: isinstance(row, excerpts.Omission),
        }

    def _drawn(self, key: str, draw: Callable[[str], Drawing | None]) -> Drawing | None:
        if key not in self._drawings:
            self._drawings[key] = draw(key)
        return self._drawings[key]

    def _timeline(self, trial: TrialView) -> Drawing | None:
        return self._drawn(f"{anchor(trial.name)}-t", lambda key: timeline.draw(trial, key))

    def _waterfall(self, trial: TrialView, number: int) -> Drawing | None:
        return self._drawn(f"{anchor(trial.name)}-w{number}", lambda key: waterfall.draw(trial.faults[number], key))

    def _adverts(self, trial: TrialView) -> Drawing | None:
        return self._drawn(f"{anchor(trial.name)}-v", lambda key: adverts.draw(trial, key))

    def _distribution(self) -> Drawing | None:
        blocks = [block for chapter in self.chapters for case in chapter.cases for block in overview.blocks(case)]
        return self._drawn("dots", lambda key: dots.draw(blocks, outline.subjects(self.view), key))

    def _settled(self, number: int) -> Drawing | None:
        plot = next((plot for plot in self.view.presentation.plots if plot.puzzle == number), None)
        if plot is None:
            return None
        names = outline.short_names(self.view)
        return self._drawn(f"puzzle-{number}", lambda key: settled.draw(plot, self.chapters, names, key))


def _reported(view: RunView) -> dict[str, Metric]:
    """The metrics of the report's tables by name; what the client saw stands first."""
    asks = any(trial.info.http_interval_s for trial in view.trials)
    found = ((name, metric) for name, metric in shown_in(Shown.REPORT).items() if asks or not metric.over_http)
    return overview.client_first(dict(found))


def render(run: RunFolder, view: RunView) -> str:
    """The report of a run as one HTML file."""
    return Site(run, view).single()
