"""The templates' environment: every string that a template prints goes through `visible` and then autoescape.

Both are set here, once, so that no template can forget either.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from viplab.address_family import family_of
from viplab.analysis.views import TrialView
from viplab.metrics import FaultMetrics
from viplab.report import application, compared, excerpts, matrix, outline, overview, units
from viplab.report.svg import PALETTE
from viplab.report.text import visible

NOT_MEASURED = Markup('<span class="nm">{}</span>').format(units.NOT_MEASURED)


@cache
def environment() -> Environment:
    """The environment of every page; templates are part of this package."""
    made = Environment(
        loader=PackageLoader("viplab.report"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "seconds": units.seconds,
        "within_fault": units.within_fault,
        "moment": units.moment,
        "ms": units.milliseconds,
        "span": units.span,
        "count": units.count,
        "change": units.change,
        "metric_words": compared.metric_words,
        "sample": lambda trials, name: units.sample(_values(trials, name)),
        "measured": lambda trials, name: any(value is not None for value in _values(trials, name)),
        "lost": overview.lost,
        "spread": matrix.spread,
        "owners": matrix.owners,
        "published_words": matrix.published_words,
        "application": application.of,
        "http_errors": application.errors,
        "fate": application.fate,
        "several": application.several,
        "fates": application.fates,
        "verdict_counts": overview.verdict_counts,
        "prose": prose,
        "verdict": outline.verdict,
        "anchor": anchor,
        "rate": excerpts.rate,
        "rate_asked": excerpts.rate_asked,
        "seqs": excerpts.sequences,
        "ping_excerpt": excerpts.ping_excerpt,
        "family": family_of,
        "neighbours_excerpt": excerpts.neighbours_excerpt,
        "frames_excerpt": excerpts.frames_excerpt,
        "merged_logs": excerpts.merged_logs,
    }
    style = stylesheet()
    made.globals |= {"not_measured": NOT_MEASURED, "style": style, "policy": policy(), "marks": compared.MARKS}
    return made


def prose(text: str) -> Markup:
    """A sentence of analysis with what it quotes between backticks set as code; visible and escaped before."""
    return Markup(re.sub("`([^`\n]+)`", r"<code>\1</code>", str(escape(visible(text)))))


def anchor(name: str) -> str:
    """The name as an id that a link can point at."""
    return "t-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@cache
def stylesheet() -> Markup:
    """The style sheet, with the plots' dark colours derived from their palette."""
    base = files("viplab.report").joinpath("templates/style.css").read_text(encoding="utf-8")
    rules = "".join(
        f'svg [{property_}="{light}"]{{{property_}:{dark}}}'
        for light, dark in PALETTE.values()
        for property_ in ("fill", "stroke")
    )
    return Markup(f"{base}@media screen and (prefers-color-scheme:dark){{{rules}}}\n")


@cache
def policy() -> str:
    """The Content-Security-Policy: nothing but this very style sheet and images that are in the page."""
    digest = base64.b64encode(hashlib.sha256(stylesheet().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _values(trials: Sequence[TrialView | FaultMetrics], name: str) -> list[float | None]:
    metrics = [trial.summary if isinstance(trial, TrialView) else trial for trial in trials]
    return [getattr(of_fault, name) for of_fault in metrics]


def _finalize(value: Any) -> Any:
    """What a template's `{{ ... }}` prints: untrusted text made visible, and None said in words."""
    if value is None:
        return NOT_MEASURED
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
