"""A timer that wakes on time: timerfd, since epoll and poll round to milliseconds and stretch a wait by 0.1 %."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

if sys.version_info < (3, 13):
    import ctypes

_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
_NONBLOCK = os.O_NONBLOCK | os.O_CLOEXEC
SECOND_NS = 1_000_000_000
_EXPIRATIONS = 8  # octets of their count
_UNKNOWN = -1  # no time that anybody sets


class TimerFd:
    """One timerfd on CLOCK_MONOTONIC; readable once its time has come."""

    def __init__(self) -> None:
        self._set_ns: int | None = _UNKNOWN
        if sys.version_info >= (3, 13):
            self._fd = os.timerfd_create(time.CLOCK_MONOTONIC, flags=_NONBLOCK)
        else:

            class Timer(ctypes.Structure):
                _fields_ = tuple((name, ctypes.c_long) for name in ("interval_s", "interval_ns", "value_s", "value_ns"))

            libc = ctypes.CDLL(None, use_errno=True)
            self._fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCK)
            if self._fd < 0:
                raise OSError(ctypes.get_errno(), "timerfd_create")
            self._timer = Timer()
            self._reference = ctypes.byref(self._timer)
            self._settime = libc.timerfd_settime

    def fileno(self) -> int:
        """For epoll."""
        return self._fd

    def set(self, at_ns: int | None) -> None:
        """Wake at this monotonic time, at once if it has gone by; None for not at all.

        Raises:
            OSError: the kernel refuses it; the next call tries again.
        """
        if at_ns == self._set_ns:
            return
        self._set_ns = _UNKNOWN
        when_ns = 0 if at_ns is None else max(at_ns, 1)  # a zero would disarm it
        if sys.version_info >= (3, 13):
            os.timerfd_settime_ns(self._fd, flags=os.TFD_TIMER_ABSTIME, initial=when_ns)
        else:
            self._timer.value_s, self._timer.value_ns = divmod(when_ns, SECOND_NS)
            if self._settime(self._fd, _ABSOLUTE, self._reference, None) < 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._set_ns = at_ns

    def clear(self) -> None:
        """Note that the timer fired. Setting it anew makes the descriptor unreadable, too, which saves a read."""
        self._set_ns = _UNKNOWN

    def drain(self) -> None:
        """Make the descriptor unreadable where it cannot be set anew."""
        with suppress(OSError):
            os.read(self._fd, _EXPIRATIONS)
