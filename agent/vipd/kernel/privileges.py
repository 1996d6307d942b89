"""Capabilities, network namespace and scheduling of the process: set once at start, then dropped for good."""

from __future__ import annotations

import atexit
import ctypes
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from vipd.config.model import Globals

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
KEPT = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW
_VERSION_3 = 0x20080522
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
_MCL_CURRENT, _MCL_FUTURE = 1, 2
_CLONE_NEWNET = 0x40000000
_LAST = 63
_RLIMIT_RTTIME = 15
_PAUSE_S = 100e-6


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def enter(namespace: str) -> None:
    """Enter a network namespace that `ip netns` made (`net_namespace`).

    Raises:
        OSError: there is none of that name, or it may not be entered.
    """
    try:
        descriptor = os.open(os.path.join("/run/netns", namespace), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH118
    except FileNotFoundError:
        raise OSError(f"net_namespace: there is no {namespace}; make it with `ip netns add {namespace}`") from None
    try:
        _called(_libc().setns(descriptor, _CLONE_NEWNET), f"net_namespace {namespace}")
    finally:
        os.close(descriptor)


def drop() -> None:
    """Keep CAP_NET_ADMIN and CAP_NET_RAW, and nothing else, for good.

    Raises:
        OSError: the kernel refuses, which it does only where something stronger is at work.
    """
    libc = _libc()
    for number in range(_LAST + 1):
        if not KEPT >> number & 1 and libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # no such capability any more, or no right to drop from the bounding set: the sets below decide
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _called(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    sets = (_Sets * 2)()
    sets[0].effective = sets[0].permitted = KEPT
    _called(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), sets), "capset")


def schedule(config: Globals) -> list[str]:
    """Set scheduling, memory and name as `global_defs` asks; returns a line for each that failed."""
    failed = []
    steps: tuple[tuple[str, bool, Callable[[], None]], ...] = (
        (
            "vrrp_priority",
            config.priority is not None,
            lambda: os.setpriority(os.PRIO_PROCESS, 0, config.priority or 0),
        ),
        ("vrrp_cpu_affinity", bool(config.cpus), lambda: os.sched_setaffinity(0, config.cpus)),
        ("vrrp_rt_priority", bool(config.rt_priority), lambda: _real_time(config)),
        ("vrrp_no_swap", config.no_swap, _lock),
        ("vrrp_process_name", bool(config.process_name), lambda: _name(config.process_name or "")),
        ("umask", config.umask is not None, lambda: _umask(config.umask or 0)),
    )
    for keyword, wanted, step in steps:
        if wanted:
            try:
                step()
            except OSError as error:
                failed.append(f"{keyword}: {error.strerror}")
    return failed


def _real_time(config: Globals) -> None:
    if config.rt_time_us:
        with suppress(ValueError, OSError):
            _limit(config.rt_time_us)
    # What it starts must not inherit it: a script in a loop would hold a processor.
    os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(config.rt_priority or 1))


def _limit(time_us: int) -> None:
    """Pause whenever so much time has been used without a pause; others then have the processor.

    At the hard limit the kernel would kill a master in the middle of a reload or of a wait for its takeover, and its
    addresses would stay. After SIGXCPU it raises the soft limit by a second.
    """
    import resource

    _, hard = resource.getrlimit(_RLIMIT_RTTIME)

    def pause(*_: object) -> None:
        time.sleep(_PAUSE_S)
        resource.setrlimit(_RLIMIT_RTTIME, (time_us, hard))

    signal.signal(signal.SIGXCPU, pause)
    resource.setrlimit(_RLIMIT_RTTIME, (time_us, hard))
    # An interpreter that ends takes its signal handlers away long before it has ended.
    atexit.register(resource.setrlimit, _RLIMIT_RTTIME, (hard, hard))


def _umask(bits: int) -> None:
    os.umask(bits)


def _lock() -> None:
    _called(_libc().mlockall(_MCL_CURRENT | _MCL_FUTURE), "mlockall")


def _name(name: str) -> None:
    with open("/proc/self/comm", "w", encoding="utf-8") as opened:  # noqa: PTH123
        opened.write(name[:15])


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _called(result: int, what: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
