"""Print libFuzzer's dictionary of the configuration's keywords: `python make_dictionary.py > FILE`."""

from __future__ import annotations

from vipd.config.keywords import KEYWORDS

for word in sorted({keyword.name for keyword in KEYWORDS}):
    print(f'"{word}"')
for mark in (
    "{",
    "}",
    "$",
    "@",
    "!",
    "#",
    '\\"',
    "~SEQ(",
    "include",
    "\\x0a",
    " 1",
    " eth0",
    " 192.0.2.1/24",
    " fe80::1",
):
    print(f'"{mark}"')
