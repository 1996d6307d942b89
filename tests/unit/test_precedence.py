"""What measures goes before what is measured."""

from __future__ import annotations

import os
import subprocess

from viplab.observe.precedence import give_precedence, precedence

_REAL_TIME = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK


def test_a_program_is_scheduled_in_real_time_or_it_is_said_that_the_kernel_does_not_allow_it() -> None:
    with subprocess.Popen(["sleep", "60"]) as program:
        try:
            given = give_precedence(program.pid)
            assert given == (os.sched_getscheduler(program.pid) == _REAL_TIME)
        finally:
            program.kill()


def test_what_a_thread_with_precedence_starts_is_scheduled_as_ever_and_so_is_the_thread_afterwards() -> None:
    with precedence(), subprocess.Popen(["sleep", "60"]) as program:
        try:
            assert os.sched_getscheduler(program.pid) == os.SCHED_OTHER
        finally:
            program.kill()
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
