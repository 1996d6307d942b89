"""A script fails where the router does otherwise, shows all of itself, and fails when it is left unfinished."""

from __future__ import annotations

import pytest

from support.playbook import adds, advert, backup, seconds, sends, timeout


def test_a_failure_shows_the_whole_script() -> None:
    play = backup("keepalived-2")
    play >> advert(102)
    play >> timeout(3 + 155 / 256) << adds() << sends(101) << ...
    with pytest.raises(AssertionError) as failed:
        play.done()
    assert [line.rstrip() for line in str(failed.value).splitlines()[1:]] == [
        "  keepalived-2",
        "  >> started()",
        "     << removes()",
        "     << becomes(State.BACKUP)",
        "  >> advert(102)",
        "  >> timeout(3.60546875)",
        "+    << sends(101)",
        "     << adds()",
        "-    << sends(101)",
    ]


@pytest.mark.parametrize("rest", ["", " << removes()", " << removes() << becomes(State.BACKUP) << removes()"])
def test_a_script_that_is_left_unfinished_fails_its_test(pytester: pytest.Pytester, rest: str) -> None:
    pytester.makepyfile(
        "from support.playbook import *\n"
        "def test_backup():\n"
        f"    Playbook('keepalived-2') >> started(){rest}\n"
        "def test_finished():\n"
        "    Playbook('keepalived-2') >> started() << removes() << becomes(State.BACKUP)\n"
    )
    result = pytester.runpytest_inprocess("-p", "support.playbook", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E*the script says what is marked -, the router did what is marked +"])


def test_an_event_that_cannot_happen_shows_what_came_before_it() -> None:
    play = backup("keepalived-2")
    with pytest.raises(AssertionError, match="before the script's time") as failed:
        play >> seconds(60)
    assert ">> seconds(60)" in failed.value.__notes__[0]
