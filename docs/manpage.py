"""The manual page viplab(1), from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer

from viplab.cli import app
from viplab.errors import ExitStatus

# Of each exit status what somebody needs to know who calls it; the names are those of the enumeration.
_STATUS = {
    ExitStatus.OK: "Every claim is reproduced or its difference explained; of a comparison: the same or better.",
    ExitStatus.FAILED: "A claim or a trial failed.",
    ExitStatus.UNDECIDED: "The measurement does not tell.",
    ExitStatus.WORSE: "Of a comparison: the new one is worse.",
    ExitStatus.USAGE: "A wrong call, or a file that is not what it should be.",
    ExitStatus.UNAVAILABLE: "This machine lacks something.",
    ExitStatus.INTERNAL: "Something of viplab or its lab did not work.",
    ExitStatus.INTERRUPTED: "Interrupted; what was measured is kept.",
}


def viplab_1() -> str:
    """The page in man(7)'s macros."""
    group: Any = typer.main.get_command(app)
    lines = [
        '.TH VIPLAB 1 "" "viplab" "User Commands"',
        ".SH NAME",
        r"viplab \- measures what clients see when a virtual IP moves",
        ".SH SYNOPSIS",
        ".B viplab",
        r".I COMMAND\fR [\fIARGUMENT\fR ...]",
        ".SH DESCRIPTION",
        "Puts hosts, a virtual IP and a fault on one bench and says, with packets as proof, what a client saw.",
        "What it measures is a run, kept in a folder that everything else is made from.",
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        for path, one in _commands(name, command):
            lines += _command(path, one)
    lines += [
        ".SH ENVIRONMENT",
        r"Each option of \fBviplab run\fR may come from a variable: \fBVIPLAB_TRIALS\fR for \fB\-\-trials\fR,",
        r"\fBVIPLAB_TIMEOUT_FACTOR\fR for \fB\-\-timeout\-factor\fR. \fBVIPLAB_RESULTS\fR names the folder of runs",
        r"for every command, \fBXDG_CACHE_HOME\fR that of images and saved memory.",
        ".SH EXIT STATUS",
    ]
    for status, meaning in _STATUS.items():
        lines += [".TP", f"{status.value}", meaning]
    lines += [".SH SEE ALSO", ".BR keepalived (8),", ".BR vipd (8)"]
    return "\n".join(lines) + "\n"


def _commands(name: str, command: Any) -> list[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    return [(name, command)] if inner is None else [(f"{name} {word}", one) for word, one in inner.items()]


def _command(name: str, command: Any) -> list[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option"]
    words = " ".join(_argument(one) for one in arguments)
    lines = [f".SS {_plain(f'viplab {name} {words}'.strip())}"]
    for paragraph in (command.help or "").split("\n\n"):
        lines += [".PP", _plain(" ".join(paragraph.split()))]
    for one in options:
        takes = "" if one.is_flag else rf" \fI{_plain(one.metavar or one.name.upper())}\fR"
        named = ", ".join(rf"\fB{_plain(opt)}\fR" for opt in one.opts)
        lines += [".TP", f"{named}{takes}", _plain(one.help or "")]
    return lines


def _argument(argument: Any) -> str:
    word = (argument.metavar or argument.name.upper()).removesuffix("...")
    word = f"{word} ..." if argument.nargs == -1 else word
    return word if argument.required else f"[{word}]"


def _plain(text: str) -> str:
    """Text that troff takes for nothing else."""
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
