"""How many processes run that a `vrrp_track_process` asks for."""

from __future__ import annotations

import os

Which = tuple[tuple[str, ...], str, bool]
"""A process by its words, `param_match`, and `full_command`; see `vipd.config.model.TrackProcess`."""


def counts(wanted: list[Which]) -> list[int]:
    """Count the processes of each kind that is wanted, all in one look at /proc."""
    found = _processes(any(words[1:] or full for words, _, full in wanted))
    return [sum(_matches(comm, argv, *which) for comm, argv in found) for which in wanted]


def _processes(with_arguments: bool) -> list[tuple[str, list[str]]]:
    found = []
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as opened:  # noqa: PTH123
                    text = opened.read()
                comm, state = text[text.find("(") + 1 : text.rfind(")")], text[text.rfind(")") + 2]
                argv: list[str] = []
                if with_arguments:
                    with open(f"/proc/{entry}/cmdline", encoding="utf-8", errors="replace") as opened:  # noqa: PTH123
                        argv = opened.read().rstrip("\0").split("\0")
            except OSError:
                continue  # it has ended meanwhile
            if state not in "ZX":
                found.append((comm, argv))
    return found


def _matches(comm: str, argv: list[str], words: tuple[str, ...], params: str, full: bool) -> bool:
    name, wanted = words[0], list(words[1:])
    if (argv[:1] != [name]) if full or "/" in name else (comm != name[:15]):
        return False
    given = argv[1:]
    if params == "partial":
        return given[: len(wanted)] == wanted
    if params == "initial" and wanted:
        last = len(wanted) - 1
        return given[:last] == wanted[:last] and len(given) > last and given[last].startswith(wanted[last])
    return given == wanted if wanted or params else True
