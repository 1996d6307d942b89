"""A pytest plugin: what a test needs of namespaces, and one line at the end that says what was skipped, and why.

`--require-netns` makes a failure of every test that is skipped because there are no namespaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from functools import cache

import pytest

TOOLS = ("setpriv", "unshare", "nsenter", "ip", "tcpdump", "arp")


def pytest_addoption(parser: pytest.Parser) -> None:
    why = "fail where tests are skipped because this machine gives no namespaces"
    parser.addoption("--require-netns", action="store_true", help=why)


@pytest.fixture(scope="session")
def namespaces(request: pytest.FixtureRequest) -> None:
    """Root, and the tools to make namespaces with."""
    why_not = lacking()
    if why_not is None:
        return
    if request.config.getoption("--require-netns"):
        pytest.fail(f"{why_not}, and --require-netns asks for namespaces", pytrace=False)
    pytest.skip(why_not)


@cache
def lacking() -> str | None:
    """Why there can be no namespaces here."""
    if os.geteuid() != 0:
        return "needs root for namespaces"
    for tool in TOOLS:
        if shutil.which(tool) is None:
            return f"needs {tool} for namespaces"
    probe = "ip link add va type veth peer name vb && ip link add br0 type bridge"
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"needs namespaces: {done.stderr.strip()}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.getreports("skipped"))
    if reasons:
        counted = ", ".join(f"{count} ({reason})" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"skipped: {counted}", yellow=True)
