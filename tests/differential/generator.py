"""Makes files from vipd's own table of keywords: a whole file with few odd lines, or a realistic one, mutated."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from differential.lines import BLOCKS as LINES
from differential.realistic import BALANCER, FILES
from differential.values import maker
from vipd.config.keywords import KEYWORDS, Keyword

_OUTSIDE = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "track_file", "vrrp_track_process")
_FIRST = {
    "vrrp_script": "script /bin/true\n", "track_file": "file /run/tracked\n", "vrrp_track_process": "process x\n",
    "vrrp_sync_group": "group {\nV\n}\n", "garp_group": "interface eth1\ngarp_interval 1\n",
}  # fmt: skip
_NEW = (
    "vrrp_instance X {{\ninterface eth1\nvirtual_router_id 77\nvirtual_ipaddress {{\n10.7.7.7\n}}\n{}\n}}\n",
    "vrrp_sync_group {{\n{}\n}}\n", "vrrp_script {{\n{}\n}}\n", "vrrp_script new {{\nscript /bin/true\n{}\n}}\n",
    "track_file new {{\n{}\n}}\n", "vrrp_track_process new {{\nprocess nginx\n{}\n}}\n",
    "vrrp_instance V {{\n{}\n}}\n", "garp_group {{\ninterface eth1\n{}\n}}\n", "global_defs {{\n{}\n}}\n",
    "track_group G {{\ngroup {{\nV\n}}\n{}\n}}\n",
)  # fmt: skip


def statement(keyword: Keyword, random: Random) -> str:
    """A line, or a block, of one keyword."""
    shown = keyword.form.text
    block = re.fullmatch(r"\{ (.*) \.\.\. \}", shown)
    if block:
        lines = [LINES[block[1]](random) for _ in range(random.choice((1, 1, 1, 2, 0)))]
        return "\n".join([f"{keyword.name} {{", *lines, "}"])
    if random.random() < 0.03:
        return f"{keyword.name} {{\n{maker(shown)(random)}\n}}"
    more = random.choice((" more", " 5", "")) if random.random() < 0.05 else ""
    return f"{keyword.name} {maker(shown)(random)}{more}"


def file(random: Random) -> str:
    """A file. The same generator makes the same files."""
    text = random.choice(FILES)
    if random.random() < 0.02:
        return BALANCER
    how = random.random()
    if how < 0.65:
        for _ in range(random.choice((1, 1, 1, 2))):
            text = _with_line(text, random)
        return text
    if how < 0.75:
        keyword = random.choice(KEYWORDS)
        return text + random.choice(_NEW).format(statement(keyword, random))
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice(_MUTATIONS)(text, random)
    return text


def _with_line(text: str, random: Random) -> str:
    """The file with one keyword more, in a block where it belongs."""
    keyword = random.choice(KEYWORDS)
    while keyword.to == "block" and keyword.block != "vrrp_instance":
        keyword = random.choice(KEYWORDS)
    line = statement(keyword, random)
    if not keyword.block:
        return text + line + "\n"
    where = [match.end() for match in re.finditer(rf"^ *{keyword.block}[^\n{{]*\{{\n", text, re.MULTILINE)]
    if where:
        at = random.choice(where)
        replaced = re.compile(rf"^ *{keyword.name}\b(?:[^\n{{]*\n|[^\n{{]*\{{[^}}]*\}}\n)", re.MULTILINE)
        if random.random() < 0.8:
            # In the place of the one that is there: two of a keyword is another matter.
            before, after = text[:at], text[at:]
            end = after.find("\n}")
            return before + line + "\n" + replaced.sub("", after[: end + 1], count=1) + after[end + 1 :]
        return text[:at] + line + "\n" + text[at:]
    if keyword.block == "global_defs":
        return f"global_defs {{\n{line}\n}}\n{text}"
    if keyword.block == "authentication":
        return _inserted(text, "vrrp_instance", f"authentication {{\n{line}\n}}\n")
    name = " new" if keyword.block in _OUTSIDE else ""
    first = _FIRST.get(keyword.block, "")
    first = "" if first.split()[:1] == [keyword.name] else first
    return f"{keyword.block}{name} {{\n{first}{line}\n}}\n{text}"


def _inserted(text: str, block: str, lines: str) -> str:
    return re.sub(rf"^{block}[^\n]*\{{\n", lambda match: match[0] + lines, text, count=1, flags=re.MULTILINE)


# -- mutations


def _lines(change: Callable[[list[str], int, Random], None]) -> Callable[[str, Random], str]:
    def mutate(text: str, random: Random) -> str:
        lines = text.split("\n")
        change(lines, random.randrange(len(lines)), random)
        return "\n".join(lines)

    return mutate


def _drop(lines: list[str], at: int, random: Random) -> None:
    del lines[at]


def _double(lines: list[str], at: int, random: Random) -> None:
    lines.insert(at, lines[at])


def _swap(lines: list[str], at: int, random: Random) -> None:
    other = random.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _move(lines: list[str], at: int, random: Random) -> None:
    line = lines.pop(at)
    lines.insert(random.randint(0, len(lines)), line)


def _word(lines: list[str], at: int, random: Random) -> None:
    words = lines[at].split()
    if words:
        words[random.randrange(len(words))] = random.choice(" ".join(FILES).split())
        lines[at] = " ".join(words)


def _cut(lines: list[str], at: int, random: Random) -> None:
    words = lines[at].split()
    lines[at] = " ".join(words[: random.randint(0, len(words))])


def _digit(lines: list[str], at: int, random: Random) -> None:
    lines[at] = re.sub(r"\d+", lambda match: random.choice((match[0], match[0] + "0", "0", "-1", "300")), lines[at])


def _spell(lines: list[str], at: int, random: Random) -> None:
    line = lines[at]
    if line.strip():
        place = random.randrange(len(line))
        lines[at] = line[:place] + random.choice("abz _-.#!\"'{}$~@0") + line[place + random.randint(0, 1) :]


def _comment(lines: list[str], at: int, random: Random) -> None:
    lines[at] = random.choice(("#", "!", "  # ")) + lines[at]


def _joined(lines: list[str], at: int, random: Random) -> None:
    if at + 1 < len(lines):
        lines[at : at + 2] = [f"{lines[at]} {lines[at + 1].strip()}"]


_MUTATIONS = (_with_line, *(_lines(change) for change in (
    _drop, _double, _swap, _move, _word, _word, _cut, _digit, _digit, _spell, _comment, _joined,
)))  # fmt: skip
