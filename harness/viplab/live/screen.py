"""How a picture looks: a panel for a terminal, lines where there is none. Untrusted text is made visible first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from viplab.live.picture import News, Picture
from viplab.report.text import visible

BARS = "▁▂▃▄▅▆▇█"
LOST = "×"
WIDTH, SHOWN = 60, 10
_HOST = {"A": "bold blue", "B": "bold dark_orange3", "C": "bold purple"}


def panel(picture: Picture, run: str) -> RenderableType:
    """The whole view."""
    parts: list[RenderableType] = [_parties(picture), Text(), _pings(picture), Text(), *_news(picture)]
    title = f"{visible(picture.scenario, 40)} with {visible(picture.subject, 40)}" if picture.scenario else "waiting"
    state = "finished" if picture.finished else f"{picture.since_s(picture.now_ns):.0f} s"
    return Panel(
        Group(*parts), title=Text(f" {title} "), subtitle=Text(f" {visible(run, 60)} · {state} "), title_align="left",
        subtitle_align="left", padding=(1, 2), width=84,
    )  # fmt: skip


def line(picture: Picture, news: News) -> str:
    """One event as a line for where there is no terminal."""
    return f"{picture.since_s(news.t_ns):+9.3f} s  {'!' if news.loud else ' '} {visible(news.text, 200)}"


def sparkline(trips: Sequence[float | None]) -> Text:
    """A bar a round trip, on a logarithmic scale; a lost request is a cross on the line's own colour."""
    seen = [trip for trip in trips if trip]
    low, high = (math.log10(max(bound, 1e-3)) for bound in (min(seen, default=1), max(seen, default=1)))
    text = Text()
    for trip in trips:
        if trip is None:
            text.append(LOST, style="bold red")
            continue
        share = (math.log10(max(trip, 1e-3)) - low) / (high - low) if high - low > 0.05 else 0.0
        text.append(BARS[min(len(BARS) - 1, int(share * len(BARS)))], style="green")
    return text


def _parties(picture: Picture) -> Table:
    table = Table.grid(padding=(0, 3, 0, 0))
    for host, state in picture.hosts.items():
        info = picture.info
        name = info.stations[host].hostname if info and host in info.stations else ""
        style = "green" if state == "daemon up" else "dim" if state in ("off", "no daemon") else "red"
        holds = Text("holds the address", style="bold") if host in (picture.owners or []) else Text("")
        table.add_row(
            Text(f"host {host}", style=_HOST.get(host, "bold")),
            Text(visible(name, 30)),
            Text(state, style=style),
            holds,
        )
    table.add_row(Text("address held by"), _names(picture.owners), Text(""), Text(""))
    client = _names([picture.client] if picture.client else [])
    table.add_row(Text("client’s neighbour entry"), client, Text(""), Text(""))
    return table


def _names(names: Sequence[str] | None) -> Text:
    if names is None:
        return Text("not known yet", style="dim")
    if not names:
        return Text("nobody", style="bold red")
    text = Text(" and ").join(Text(visible(name, 20), style=_HOST.get(name, "magenta")) for name in names)
    return text if len(names) == 1 else Text.assemble(text, ("  two owners", "bold red"))


def _pings(picture: Picture) -> RenderableType:
    trips = picture.trips(WIDTH)
    if not trips:
        return Text("no ping yet", style="dim")
    last = next((trip for trip in reversed(trips) if trip is not None), None)
    words = Text("round trips  ") + (Text(f"{last:.3g} ms") if last is not None else Text("none yet"))
    lost = sum(trip is None for trip in trips)
    if lost:
        words.append(f"   {lost} lost", style="bold red")
    silent = picture.silent_s()
    if silent is not None:
        words.append("   ").append(f" no answer for {silent:.1f} s ", style="bold red reverse")
    return Group(words, sparkline(trips))


def _news(picture: Picture) -> list[Text]:
    rows = []
    for news in list(picture.news)[-SHOWN:]:
        style = "bold red" if news.loud else ""
        stamp = (f"{picture.since_s(news.t_ns):8.3f} s  ", "dim")
        rows.append(Text.assemble(stamp, (visible(news.text, 200), style), no_wrap=True, overflow="ellipsis"))
    if picture.step:
        rows.append(Text(f"           … {visible(picture.step, 60)}", style="italic"))
    return rows
