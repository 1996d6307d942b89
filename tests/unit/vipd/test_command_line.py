"""The command line is read as Python's getopt reads it."""

from __future__ import annotations

import getopt

from hypothesis import given
from hypothesis import strategies as st

from vipd.command_line import UsageError, read

SHORT = "tf:i:n"
LONG = ["config-test", "use-file=", "config-id=", "vrrp", "version", "json"]
WORDS = [
    *("-t", "-f", "-ffile", "-tn", "-tffile", "-", "--", "-:", "-x", "", "status", "-tf", "--json", "--vrrp", "--ver"),
    *("--config-", "--config-t", "--use-file", "--use-file=", "--use-file=a=b", "--json=1", "--nosuch", "--v"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=6))
def test_options_and_errors_are_those_of_getopt(arguments: list[str]) -> None:
    expected: object
    found: object
    try:
        expected = getopt.gnu_getopt(arguments, SHORT, LONG)
    except getopt.GetoptError as error:
        expected = str(error)
    try:
        pairs = [*read(arguments, SHORT, LONG)]
        found = [pair for pair in pairs if pair[0]], [value for name, value in pairs if not name]
    except UsageError as error:
        found = str(error)
    assert found == expected
