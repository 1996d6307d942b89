"""A matplotlib figure as inline SVG that a page can style: same figure, same bytes.

The SVG that matplotlib writes has its colours in `style` attributes, which a strict Content-Security-Policy forbids,
and ids that clash when a page holds several plots. Here styles become presentation attributes, which a rule such as
`svg [fill="#cfe2f1"]` can override in dark mode, and ids that nothing refers to are dropped.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, cast
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

WIDTH = 960
"""Width of every plot in its own units; a page at full width shows one unit as one pixel."""

PALETTE: dict[str, tuple[str, str]] = {
    # role: (light, dark). Blue and vermilion are Okabe and Ito's, told apart with every common colour blindness; no two
    # light colours may be equal, since dark mode finds a role by its light colour.
    "ink": ("#1b1f24", "#e4e7eb"),
    "muted": ("#5a6370", "#a3acb8"),
    "rule": ("#c9ced6", "#444c57"),
    "grid": ("#e6e8ec", "#2c323a"),
    "a": ("#0064a4", "#5cb3ec"),
    "a-tint": ("#cfe2f1", "#143c59"),
    "b": ("#b84a00", "#f0904e"),
    "b-tint": ("#fbdcc5", "#5a2a0d"),
    "c": ("#6f3a94", "#c9a0ea"),
    "c-tint": ("#e6d9f0", "#3a2250"),
    "other": ("#6b7079", "#9aa2ad"),
    "other-tint": ("#e3e5e9", "#343b44"),
    "idle-tint": ("#f1f2f5", "#232930"),
    "loss": ("#8a1c3c", "#ff8fab"),
    "loss-tint": ("#f6dce3", "#4d1c2b"),
    "expected": ("#9098a4", "#737d8a"),
    # Subjects, told apart by their marker too: bluish green, reddish purple, olive.
    "first": ("#00735c", "#4cc9a4"),
    "second": ("#8a4b9c", "#d59be6"),
    "third": ("#6a5d00", "#d9c75a"),
    "paper": ("#ffffff", "#161a1f"),
}

LIGHT = {role: light for role, (light, _) in PALETTE.items()}

_HOST_ROLES = {"A": ("a", "o"), "B": ("b", "s"), "C": ("c", "D")}


def host_role(host: str | None) -> tuple[str, str]:
    """Colour and marker of a host; those after the third, and whatever is none, share one."""
    return _HOST_ROLES.get(host or "", ("other", "o"))


SUBJECT_ROLES = (("first", "o"), ("second", "D"), ("third", "s"))
"""Colour and marker of the run's subjects, in their order."""

_RC = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 12,
    "font.family": "sans-serif",
    "axes.edgecolor": LIGHT["rule"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.linewidth": 1.0,
    "xtick.color": LIGHT["rule"],
    "ytick.color": LIGHT["rule"],
    "xtick.labelcolor": LIGHT["muted"],
    "ytick.labelcolor": LIGHT["ink"],
    "text.color": LIGHT["ink"],
    "hatch.linewidth": 1.4,
    "axes.unicode_minus": True,
    "path.simplify": True,
}
_LEFT_TO_THE_PAGE = {"font-family", "text-align"}
_FONT = re.compile(r"(?:(?P<weight>bold|[1-9]00) )?(?P<size>[\d.]+)px")
_LONG_FRACTION = re.compile(r"(\d+\.\d\d)\d+")
_REFERENCE = re.compile(r"#([A-Za-z][\w.-]*)")


@dataclass(frozen=True)
class Drawing:
    """One plot of a page: the picture, what it says in words for those who do not see it, and its caption."""

    svg: Markup
    caption: str


def canvas(height: float) -> Figure:
    """An empty canvas of the page's width, `height` in the same units."""
    return Figure(figsize=(WIDTH / 72, height / 72), dpi=72)


def bare(axes: Axes, grid: Literal["x", "y"]) -> None:
    """No frame but the axis that the grid stands on; the grid behind everything."""
    for side in ("top", "right", "left" if grid == "x" else "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="both", length=0)
    axes.grid(axis=grid, color=LIGHT["grid"], linewidth=1)
    axes.set_axisbelow(True)


def plain_numbers(axis: Axis) -> None:
    """Tick labels without needless zeros, with a real minus sign."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\u2212")))


def drawing_rules() -> AbstractContextManager[None]:
    """The context in which every plot is drawn, so that no setting of the user's matplotlibrc shows."""
    return cast(AbstractContextManager[None], rc_context(_RC))


def inline(figure: Figure, key: str, description: str) -> Markup:
    """The figure as an `<svg>` element; `key` tells its ids from those of the page's other plots."""
    buffer = io.StringIO()
    with rc_context({**_RC, "svg.hashsalt": key}), warnings.catch_warnings():
        # Text stays text and the reader's browser has its own fonts; what matplotlib's lacks does not matter.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in root.iter():
        for child in [child for child in parent if _local(child.tag) in ("metadata", "style")]:
            parent.remove(child)
    for element in root.iter():
        _plain(element)
    for definition in root.iterfind(".//defs/path"):
        # Each `use` repeats the style of what it draws; a rule `svg [fill=...]` reaches it, not its copy of the path.
        definition.attrib = {name: value for name, value in definition.attrib.items() if name in ("id", "d")}
    referred = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        if "id" in element.attrib and element.get("id") not in referred:
            del element.attrib["id"]
    _prefix_ids(root, key)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": description}
    return Markup(ElementTree.tostring(_without_bare_groups(root), encoding="unicode"))


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _plain(element: ElementTree.Element) -> None:
    """Names without namespaces, styles as attributes, numbers to a hundredth of a unit."""
    element.tag = _local(element.tag)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    for declaration in attributes.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (font := _FONT.match(value)):
            attributes["font-size"] = font["size"]
            if font["weight"]:
                attributes["font-weight"] = font["weight"]
        elif name and name not in _LEFT_TO_THE_PAGE:
            attributes[name] = value
    if element.tag != "text" and element.tag != "tspan":
        element.text = (element.text or "").strip() or None
    element.tail = None
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    element.attrib = {name: _LONG_FRACTION.sub(r"\1", value) for name, value in attributes.items()}


def _references(element: ElementTree.Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name == "href" or value.startswith("url("):
            yield from _REFERENCE.findall(value)


def _prefix_ids(root: ElementTree.Element, key: str) -> None:
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, f"{key}-{value}")
            elif name == "href" or value.startswith("url("):
                element.set(name, _REFERENCE.sub(rf"#{key}-\1", value))


def _without_bare_groups(element: ElementTree.Element) -> ElementTree.Element:
    """The same drawing without groups that carry nothing, which is most of those that matplotlib writes."""
    children = [_without_bare_groups(child) for child in element]
    for child in list(element):
        element.remove(child)
    for child in children:
        if child.tag == "g" and not child.attrib:
            element.extend(child)
        elif not (child.tag == "defs" and len(child) == 0):
            element.append(child)
    return element
