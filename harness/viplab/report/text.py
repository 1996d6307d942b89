"""Untrusted text made safe to look at: what a guest wrote is shown for what it is, and never acts.

Escaping for HTML is jinja's business; this is about what escaping leaves alone: terminal control sequences, bytes that
are not text, characters that reverse or hide what stands beside them, and lines without end.
"""

from __future__ import annotations

import re
import unicodedata

LINE_LIMIT = 1000
"""Characters of one line that are shown; an honest line of a keepalived log has up to 150, one of a verdict 600."""

_SUSPECT = re.compile(r"[^\t\n\x20-\x7e\xa0-\xac\xae-\u02ff]")
_CARRIAGE_RETURN_AT_END = re.compile(r"\r+(?=\n|$)")


def visible(text: str, limit: int = LINE_LIMIT) -> str:
    """The text with control and format characters made visible, and each line cut at `limit` characters with a note.

    C0 controls become their Unicode pictures (`ESC` is shown as U+241B), a lone surrogate becomes U+FFFD, and any other
    control, format, private or unassigned character is spelled out, such as `<U+202E>`. Tab and line feed stay.
    """
    lines = _CARRIAGE_RETURN_AT_END.sub("", text).split("\n")
    return "\n".join(_SUSPECT.sub(_show, _cut(line, limit)) for line in lines)


def middle_out(lines: list[str], head: int, tail: int) -> list[str]:
    """The first `head` and last `tail` lines with a note between them; all of them where that saves nothing."""
    left_out = len(lines) - head - tail
    if left_out <= 1:
        return lines
    return [*lines[:head], f"... ({left_out} lines left out)", *lines[len(lines) - tail :]]


def _cut(line: str, limit: int) -> str:
    if len(line) <= limit:
        return line
    return f"{line[:limit]} … (cut: {len(line) - limit} more characters)"


def _show(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if not unicodedata.category(char).startswith(("C", "Zl", "Zp")):
        return char
    return f"<U+{code:04X}>"
