"""Sockets and epoll of a daemon whose kernel is made up: what it sends is told to the `FailingKernel`."""

from __future__ import annotations

import errno
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any

from vipd.kernel import rtnetlink

if TYPE_CHECKING:
    from support.failing_kernel import FailingKernel

_INT = struct.Struct("=i")


class FakeSocket:
    """A socket; those of families that are not made up are real ones behind it."""

    _numbers = iter(range(1_000_000, 1 << 30))

    def __init__(
        self,
        kernel: FailingKernel,
        module: str,
        family: int,
        kind: int,
        protocol: int,
        real: socket.socket | None = None,
    ) -> None:
        self._kernel = kernel
        self.protocol = protocol
        self.queue: deque[bytes] = deque()
        self.groups = 0
        self._blocks = not kind & socket.SOCK_NONBLOCK
        self._real = real
        self.what = {
            (socket.AF_NETLINK, 0): "route",
            (socket.AF_NETLINK, 12): "filter",
            (socket.AF_PACKET, 0): "announcement",
        }.get((int(family), protocol), "advert" if family in (socket.AF_INET, socket.AF_INET6) else "unix")
        if self.what == "advert" and protocol == socket.IPPROTO_RAW:
            self.what = "sender"
        self._name = f"{module}.{self.what}"
        if real is None:
            kernel.call(f"{self._name}.socket")
            if self.what == "unix" and module != "syslog":
                self._real = socket.socket(family, kind, protocol)
        self._number = next(self._numbers) if self._real is None else self._real.fileno()

    def __enter__(self) -> FakeSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_real(self) -> bool:
        return self._real is not None

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        self._kernel.forget(self._number)
        if self._real is not None:
            self._real.close()

    def __del__(self) -> None:
        self.close()

    def setblocking(self, blocks: bool) -> None:
        self._blocks = blocks
        if self._real is not None:
            self._real.setblocking(blocks)

    def settimeout(self, _: float) -> None: ...

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        joins = option in (socket.IP_ADD_MEMBERSHIP, socket.IPV6_JOIN_GROUP) and level != socket.SOL_SOCKET
        self._kernel.call(f"{self._name}.{'join' if joins else 'setsockopt'}")

    def bind(self, address: Any) -> None:
        self._kernel.call(f"{self._name}.bind")
        if self.what == "route":
            self.groups = address[1]
        elif self._real is not None:
            self._real.bind(address)

    def getsockname(self) -> tuple[int, int]:
        return self._number, self.groups

    def listen(self, waiting: int) -> None:
        self._kernel.call(f"{self._name}.listen")
        assert self._real is not None
        self._real.listen(waiting)

    def accept(self) -> tuple[FakeSocket, Any]:
        self._kernel.call(f"{self._name}.accept")
        assert self._real is not None
        real, address = self._real.accept()
        return FakeSocket(self._kernel, self._name.partition(".")[0], socket.AF_UNIX, 1, 0, real), address

    def connect(self, _: Any) -> None:
        self._kernel.call(f"{self._name}.connect")

    def sendall(self, octets: bytes) -> None:
        self._kernel.call(f"{self._name}.sendall")
        assert self._real is not None
        self._real.sendall(octets)

    def send(self, octets: bytes) -> int:
        self._kernel.call(f"{self._name}.send")
        if self._real is not None:
            return self._real.send(octets)
        if self.what == "unix":
            self._kernel.log(octets)
        elif self.what == "route":
            self._answer(octets)
        else:
            self.queue.extend(b"\0" * 20 for _ in range(20))  # as many acknowledgements as a batch has messages
        return len(octets)

    def sendto(self, octets: bytes, *more: Any) -> int:
        """With flags it is a probe (MSG_PROBE), which sends nothing."""
        address = more[-1]
        self._kernel.call(f"{self._name}.{'sendto' if len(more) == 1 else 'probe'}")
        if len(more) == 1 and self.what == "sender" and address[0] == "224.0.0.18" and octets[22]:
            self._kernel.sent.append(self._kernel.now_ns)
        return len(octets)

    def recv(self, size: int) -> bytes:
        self._kernel.call(f"{self._name}.recv")
        if self._real is not None:
            return self._real.recv(size)
        if not self.queue:
            assert not self._blocks, "it blocks for ever"
            raise BlockingIOError(errno.EAGAIN, "again")
        return self.queue.popleft()

    def _answer(self, request: bytes) -> None:
        (asked,) = rtnetlink.messages(request)
        kernel = self._kernel
        if asked.kind in (rtnetlink.GETLINK, rtnetlink.GETADDR):
            dumped = asked.kind == rtnetlink.GETLINK
            bodies = kernel.links() if dumped else kernel.addresses()
            kind = rtnetlink.NEWLINK if dumped else rtnetlink.NEWADDR
            parts = [rtnetlink.message(kind, 2, asked.sequence, body) for body in bodies]
            self.queue.append(b"".join([*parts, rtnetlink.message(rtnetlink.DONE, 2, asked.sequence, _INT.pack(0))]))
            return
        try:
            kernel.call(f"netlink.answer.{asked.kind}")
            code = kernel.change(asked.kind, asked.body)
        except OSError as error:
            code = error.errno or 0
        answer = _INT.pack(-code) + request[:16]
        self.queue.append(rtnetlink.message(rtnetlink.ERROR, 0, asked.sequence, answer))


class FakeEpoll:
    def __init__(self, kernel: FailingKernel) -> None:
        kernel.call("epoll.epoll")
        self._kernel = kernel
        self._registered: set[int] = set()

    def register(self, descriptor: int, _: int) -> None:
        self._kernel.call("epoll.register")
        self._registered.add(descriptor)

    def unregister(self, descriptor: int) -> None:
        self._registered.discard(descriptor)

    def poll(self, timeout_s: float) -> list[tuple[int, int]]:
        self._kernel.call("epoll.poll")
        return self._kernel.wait(self._registered, timeout_s)
