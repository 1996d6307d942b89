"""What is skipped for want of namespaces is said in one line, and can be made a failure."""

from __future__ import annotations

import pytest

from support import namespaces

ARGUMENTS = ("-p", "support.namespaces", "-p", "no:cacheprovider")


@pytest.fixture
def without(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Three tests where there are no namespaces."""
    monkeypatch.setattr(namespaces, "lacking", lambda: "needs root for namespaces")
    pytester.makepyfile("def test_a(namespaces): ...\ndef test_b(namespaces): ...\ndef test_c(): ...\n")
    return pytester


def test_one_line_says_how_many_were_skipped_and_why(without: pytest.Pytester) -> None:
    result = without.runpytest_inprocess(*ARGUMENTS)
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines(["skipped: 2 (needs root for namespaces)"])


def test_require_netns_makes_a_failure_of_it(without: pytest.Pytester) -> None:
    result = without.runpytest_inprocess(*ARGUMENTS, "--require-netns")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["needs root for namespaces, and --require-netns asks for namespaces"])
