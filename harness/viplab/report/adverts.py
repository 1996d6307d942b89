"""The plot of adverts: each advert on the interconnect, placed by the time since the one before it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator

from viplab.analysis.views import AdvertSeen, TrialView
from viplab.report import units
from viplab.report.svg import LIGHT, Drawing, bare, canvas, drawing_rules, host_role, inline, plain_numbers
from viplab.report.text import visible
from viplab.report.timeline import LEFT, RIGHT, fault_words, tick, window

_PLOT, _TOP, _BOTTOM = 120.0, 24.0, 74.0
MOST = 400
"""Adverts that are drawn; of more, the longest intervals, and the first and last of each host."""


def draw(trial: TrialView, key: str) -> Drawing | None:
    """The plot of one trial; None where fewer than two adverts were seen."""
    start_s, end_s = window(trial)
    seen = [(after, after.at_s - before.at_s) for before, after in pairwise(trial.adverts)]
    seen = _thinned([pair for pair in seen if start_s <= pair[0].at_s <= end_s])
    if not seen:
        return None
    height = _TOP + _PLOT + _BOTTOM
    with drawing_rules():
        figure = canvas(height)
        axes = figure.add_axes((LEFT, _BOTTOM / height, RIGHT - LEFT, _PLOT / height))
        bare(axes, "y")
        axes.spines["bottom"].set_visible(True)
        axes.set_xlim(start_s, end_s)
        axes.set_ylim(0, max(interval for _, interval in seen) * 1.12)
        axes.xaxis.set_major_locator(MultipleLocator(tick(end_s - start_s)))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        plain_numbers(axes.xaxis)
        plain_numbers(axes.yaxis)
        axes.set_ylabel("interval, s", labelpad=8)
        axes.set_xlabel(f"seconds after the {'fault' if trial.zero == 'fault' else 'start of the trial'}")
        for fault in trial.faults:
            axes.axvline(fault.at_s, color=LIGHT["ink"], linewidth=1.3, linestyle=(0, (4, 2)))
            axes.annotate(
                f"▾ {fault_words(fault)}", (fault.at_s, 1), xycoords=("data", "axes fraction"), xytext=(-5, 6),
                textcoords="offset points", fontweight="bold", annotation_clip=False,
            )  # fmt: skip
        handles = []
        for host in (*trial.info.hosts, None):
            role, marker = host_role(host)
            points = [(advert.at_s, interval) for advert, interval in seen if advert.host == host and advert.priority]
            gives_up = [
                (advert.at_s, interval) for advert, interval in seen if advert.host == host and not advert.priority
            ]
            for label, chosen, look, size in (("", points, marker, 6), (", priority 0", gives_up, "X", 9)):
                if chosen:
                    style: dict[str, Any] = {"color": LIGHT[role], "marker": look, "linestyle": "", "markersize": size}
                    axes.plot(
                        *zip(*chosen, strict=True),
                        markeredgecolor=LIGHT["paper"],
                        markeredgewidth=0.8,
                        clip_on=False,
                        **style,
                    )
                    name = f"advert of {host}" if host else "advert of another"
                    handles.append(Line2D([], [], label=name + label, **style))
        axes.legend(
            handles=handles, loc="upper right", bbox_to_anchor=(1.0, -0.3), ncols=4, frameon=False, fontsize=12,
            handlelength=1.0, borderpad=0, columnspacing=1.6,
        )  # fmt: skip
        return Drawing(inline(figure, key, _describe(seen)), _CAPTION)


_CAPTION = (
    "Each advert on the interconnect, placed by the time since the advert before it, whoever sent that. "
    "A high dot is a silence: what a backup waits for."
)


def _thinned(seen: list[tuple[AdvertSeen, float]]) -> list[tuple[AdvertSeen, float]]:
    if len(seen) <= MOST:
        return seen
    longest = sorted(range(len(seen)), key=lambda at: -seen[at][1])[: MOST - 8]
    turns = [at for at in range(1, len(seen)) if seen[at][0].host != seen[at - 1][0].host][:8]
    return [seen[at] for at in sorted({*longest, *turns})]


def _describe(seen: list[tuple[AdvertSeen, float]]) -> str:
    longest, interval = max(seen, key=lambda pair: pair[1])
    counts = ", ".join(
        units.count(number, f"advert of {host or 'another'}", f"adverts of {host or 'another'}")
        for host in sorted({advert.host for advert, _ in seen}, key=lambda host: host or "~")
        if (number := sum(advert.host == host for advert, _ in seen))
    )
    zero = sum(advert.priority == 0 for advert, _ in seen)
    words = f"Intervals between adverts: {counts}; the longest is {units.seconds(interval)}, which an advert of "
    words += f"{longest.host or 'another'} ends at {units.moment(longest.at_s, 1)} s."
    return visible(words + (f" {units.count(zero, 'advert')} of priority 0." if zero else ""))
