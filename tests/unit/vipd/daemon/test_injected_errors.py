"""Every call that the daemon makes of the kernel fails with every errno that it can give, at every moment.

Whatever fails, the daemon goes on, waits between its tries, holds no address without adverts, says a cause once a
minute, and is what it was once the cause is gone.
"""

from __future__ import annotations

import ast
import errno
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from support.failing_kernel import SECOND_NS, BusyLoopError, FailingKernel
from support.routers import HIGHER_ADDRESS, packet3
from vipd.config.behaviour import PRESETS
from vipd.daemon import dumps, loop
from vipd.daemon.config_files import load
from vipd.daemon.loop import Daemon
from vipd.kernel.script_runner import Channel
from vipd.kernel.syslog import FORMATS, Syslog

CONFIG = """
global_defs {{
    script_user root
    state_dump_file {folder}/data
    vrrp_notify_fifo {folder}/fifo
}}
vrrp_script check {{
    script "/usr/bin/true"
    interval 2
}}
track_file number {{
    file {folder}/number
    init_file 0
}}
vrrp_instance {name} {{
    interface eth0
    version 3
    virtual_router_id 51
    priority {priority}
    no_accept
    virtual_ipaddress {{
        192.168.122.50/24 dev eth1
    }}
    virtual_routes {{
        10.77.0.0/16 dev eth1
    }}
    track_script {{
        check
    }}
    track_file {{
        number weight 1
    }}
}}
"""
VIP = socket.inet_aton("192.168.122.50")
END_S = 60
LASTS_S = 8
MOMENTS_S = {"start": -1.0, "backup": 1.0, "master": 5.0, "takeover": 17.5, "fault": 24.5, "reload": 35.5}
_SHORT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
_DISK = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EDQUOT)
_WIRE = (errno.EPERM, errno.ENETDOWN, errno.ENETUNREACH, errno.EAGAIN, errno.EINVAL)
_READ = (errno.EIO, errno.ENOMEM, errno.ENOBUFS, errno.ENETDOWN, errno.ENODEV)
_GONE = (errno.ECONNREFUSED, errno.ENOENT, errno.EPIPE, errno.ECONNRESET, errno.EAGAIN, errno.ENOTCONN)
ERRORS: dict[str, tuple[int, ...]] = {
    "accept_filter.filter.bind": _SHORT,
    "accept_filter.filter.recv": (*_READ, errno.EAGAIN),
    "accept_filter.filter.send": (*_SHORT, errno.EPERM),
    "accept_filter.filter.socket": (*_SHORT, errno.EPROTONOSUPPORT),
    "control_socket.lstat": (errno.EACCES, errno.ENOENT),
    "control_socket.unlink": _DISK,
    "control_socket.unix.accept": (*_SHORT, errno.ECONNABORTED, errno.EPERM),
    "control_socket.unix.bind": (errno.EADDRINUSE, *_DISK),
    "control_socket.unix.listen": (errno.EADDRINUSE,),
    "control_socket.unix.sendall": (*_GONE, errno.ENOMEM),
    "control_socket.unix.setsockopt": (errno.EPERM,),
    "control_socket.unix.socket": _SHORT,
    "epoll.epoll": _SHORT,
    "epoll.poll": (errno.EBADF, errno.EINVAL, errno.ENOMEM),
    "epoll.register": (errno.ENOMEM, errno.ENOSPC),
    "fifo.lstat": (errno.EACCES, errno.ENOENT),
    "fifo.mkfifo": _DISK,
    "fifo.open": (*_SHORT, errno.ENOENT, errno.ENXIO),
    "fifo.unlink": _DISK,
    "fifo.write": (errno.EAGAIN, errno.EPIPE, errno.EIO),
    "files.open": (*_SHORT, *_DISK, errno.ENOENT, errno.ELOOP),
    "files.read": (errno.EIO, errno.ENOMEM),
    "files.rename": _DISK,
    "files.unlink": _DISK,
    "files.write": _DISK,
    "inotify.inotify_add_watch": (errno.ENOSPC, errno.ENOMEM, errno.ENOENT),
    "inotify.inotify_init1": _SHORT,
    "inotify.read": (errno.EIO, errno.ENOMEM),
    "netlink.answer.20": (errno.EPERM, errno.ENOMEM, errno.ENOBUFS, errno.EINVAL, errno.ENODEV),
    "netlink.answer.21": (errno.EPERM, errno.ENOMEM, errno.ENOBUFS),
    "netlink.answer.24": (errno.EPERM, errno.ENETUNREACH, errno.ENOMEM),
    "netlink.answer.25": (errno.EPERM, errno.ENOMEM),
    "netlink.route.bind": _SHORT,
    "netlink.route.recv": (errno.ENOMEM, errno.EIO),
    "netlink.route.send": (*_SHORT, errno.EPERM),
    "netlink.route.socket": _SHORT,
    "script_runner.unix.recv": (errno.ENOMEM, errno.EIO, errno.ECONNRESET),
    "script_runner.unix.send": (*_GONE, errno.ENOBUFS, errno.EMSGSIZE),
    "signals.pipe": _SHORT,
    "signals.read": (errno.EIO,),
    "sockets.advert.join": (errno.ENOBUFS, errno.ENODEV, errno.ENOMEM),
    "sockets.advert.recv": _READ,
    "sockets.advert.setsockopt": (errno.EPERM, errno.ENODEV, errno.ENOMEM),
    "sockets.advert.socket": (*_SHORT, errno.EPERM),
    "sockets.announcement.sendto": (*_WIRE, errno.ENOBUFS, errno.ENXIO),
    "sockets.announcement.socket": (*_SHORT, errno.EPERM),
    "sockets.sender.probe": (*_WIRE, errno.ENODEV),
    "sockets.sender.sendto": (*_WIRE, errno.ENOBUFS, errno.ENOMEM, errno.EMSGSIZE, errno.ENODEV),
    "sockets.sender.setsockopt": (errno.EPERM, errno.ENODEV, errno.ENOMEM),
    "sockets.sender.socket": (*_SHORT, errno.EPERM),
    "syslog.unix.connect": (*_GONE, errno.EACCES),
    "syslog.unix.send": (*_GONE, errno.ENOBUFS, errno.ENOMEM, errno.EMSGSIZE),
    "syslog.unix.socket": _SHORT,
    "timerfd.timerfd_create": _SHORT,
    "timerfd.timerfd_settime": (errno.EINVAL, errno.EBADF),
}
# What a start is refused without: nothing is done yet that would have to be undone.
REFUSES = ("netlink.route.", "timerfd.timerfd_create", "epoll.", "signals.pipe")


class Lived(NamedTuple):
    """How a daemon's life went."""

    kernel: FailingKernel
    refused: BaseException | None
    states: list[str]
    master: bool


def live(folder: Path, failing: dict[str, BaseException], from_s: float) -> Lived:
    """Run a daemon for a minute of virtual time, through all of its states; then it is told to stop."""
    with pytest.MonkeyPatch.context() as patch:
        kernel = FailingKernel(patch, str(folder / "log"))
        before: list[bool] = []

        def configure(priority: int, name: str = "VI_1") -> None:
            text = CONFIG.format(folder=folder, priority=priority, name=name)
            (folder / "keepalived.conf").write_text(text)

        def asked() -> None:
            with socket.socket(socket.AF_UNIX) as asking, suppress(OSError):
                asking.setblocking(False)
                asking.connect(str(folder / "s"))

        def heard() -> None:
            kernel.receive(datagram(200))

        for at_s, do in (
            (from_s, lambda: kernel.failing.update(failing)),
            (from_s + LASTS_S, kernel.failing.clear),
            *((at_s, asked) for at_s in (2, 8, 20)),
            *((at_s, lambda: kernel.signal(signal.SIGUSR1)) for at_s in (9, 20.5)),
            *((at_s, lambda: kernel.signal(signal.SIGHUP)) for at_s in (10, 19, 36, 38.5)),
            (10, lambda: configure(101)),
            (19, lambda: configure(100)),
            (36, lambda: configure(101)),
            (38.5, lambda: configure(102, "VI_2")),
            *((at_s, lambda: (folder / "number").write_text("1")) for at_s in (11,)),
            *((at_s, heard) for at_s in (13, 14, 15, 16, 17)),
            (26.0, lambda: kernel.link(3, False)),
            (29.0, lambda: kernel.link(3, True)),
            (END_S - 1, lambda: before.append(VIP in kernel.held and kernel.now_ns - kernel.sent[-1] < 2 * SECOND_NS)),
            (END_S, lambda: kernel.signal(signal.SIGTERM)),
        ):
            if at_s < 0:
                do()
            else:
                kernel.at(at_s, do)
        log = Syslog(FORMATS["keepalived-2"], detail=False, console=False)
        configure(100)
        load_again = lambda: load(str(folder / "keepalived.conf"))  # noqa: E731
        refused = None
        kernel.failing, later = {}, kernel.failing
        parsed = load_again()
        kernel.failing = later
        try:
            daemon = Daemon(
                parsed, PRESETS["keepalived-2"], log, Channel(kernel.channel, asleep=False), load_again, "mark"
            )
            daemon.run(lambda: None, str(folder / "s"))
        except (OSError, MemoryError, BusyLoopError) as error:
            refused = error
        kernel.close()
        states = [text.partition("Entering ")[2] for _, text in kernel.lines if "Entering" in text]
        return Lived(kernel, refused, states, before == [True])


def datagram(priority: int) -> bytes:
    """An IPv4 datagram with an advert of version 3."""
    payload = packet3(priority, addresses=VIP, source=HIGHER_ADDRESS)
    head = bytes((0x45, 0, 0, 20 + len(payload), 0, 0, 0, 0, 255, 112, 0, 0))
    return head + HIGHER_ADDRESS.to_bytes(4, "big") + socket.inet_aton("224.0.0.18") + payload


def test_the_daemon_opens_no_file_and_prints_nothing_by_itself() -> None:
    """Modules that it must not import are an import-linter contract; these need no import."""
    for path in Path(loop.__file__).parent.glob("*.py"):
        called = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {function.id for function in called if isinstance(function, ast.Name)}
        assert not names & {"open", "print", "input"}, path.name


def test_a_life_without_errors_goes_through_every_state_and_makes_every_call(tmp_path: Path) -> None:
    lived = live(tmp_path, {}, 0)
    assert lived.refused is None and lived.master and not lived.kernel.held
    assert [state.split()[0] for state in lived.states] == [
        "BACKUP", "MASTER", "BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER",
    ]  # fmt: skip
    assert set(lived.kernel.calls) == set(ERRORS), "a call without its errors, or errors of a call that is not made"
    assert lived.kernel.silent_ns < 1.1 * SECOND_NS


def test_a_module_that_an_upgrade_has_removed_ends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json", None)
    monkeypatch.setattr(dumps, "DUMP_DATA", 0)  # what SIGUSR1 asks for then is JSON
    lived = live(tmp_path, {}, 0)
    assert lived.refused is None and lived.master
    assert any("restart vipd" in text for _, text in lived.kernel.lines)


def cases(call: str) -> Iterator[tuple[BaseException, str, str]]:
    """Each error of a call at one moment, and each moment with one error: (error, its name, moment)."""
    errors: list[BaseException] = [*(OSError(code, os.strerror(code)) for code in ERRORS[call]), MemoryError()]
    moments = [*MOMENTS_S]
    first = sorted(ERRORS).index(call)
    for number in range(max(len(errors), len(moments))):
        error = errors[number % len(errors)]
        name = errno.errorcode[error.errno or 0] if isinstance(error, OSError) else "MemoryError"
        yield error, name, moments[(first + number) % len(moments)]


@pytest.mark.parametrize("call", sorted(ERRORS))
def test_what_fails_ends_nothing_and_is_made_up_for(call: str, tmp_path: Path) -> None:
    wrong = []
    for error, name, moment in cases(call):
        folder = tmp_path / f"{name}-{moment}"
        folder.mkdir()
        lived = live(folder, {call: error}, MOMENTS_S[moment])
        wrong += [f"{call} {name} {moment}: {complaint}" for complaint in complaints(lived, call, moment)]
    assert not wrong, "\n".join(wrong)


def complaints(lived: Lived, call: str, moment: str) -> list[str]:
    """What is wrong about a life during which a call failed."""
    if lived.refused is not None:
        found = [] if moment == "start" and call.startswith(REFUSES) else [f"ended: {lived.refused!r}"]
        return found + (["refused with an address"] if lived.kernel.held else [])
    found = []
    if lived.kernel.held:
        found.append("left its address")
    if not lived.master:
        found.append(f"did not recover: {lived.states}")
    # While the kernel takes no request, it removes no address either; it is removed as soon as it does.
    allowed_s = LASTS_S + 2 if call.startswith("netlink.") else 4
    if lived.kernel.silent_ns > allowed_s * SECOND_NS:
        found.append(f"{lived.kernel.silent_ns / 1e9:.1f} s with an address and without adverts")
    repeated = Counter(text for _, text in lived.kernel.lines if "Entering" not in text and "Reloading" not in text)
    found += [f"{count} times {text!r}" for text, count in repeated.items() if count > 2]
    return found
