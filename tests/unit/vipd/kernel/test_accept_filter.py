"""The packet filter: when the kernel is asked for it, and when not."""

from __future__ import annotations

import errno

import pytest

from vipd.kernel import accept_filter
from vipd.kernel.accept_filter import AcceptFilter


class Kernel:
    """Takes tables, or refuses them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[list[bytes]] = []
        self.error: OSError | None = None
        monkeypatch.setattr(accept_filter, "_commit", self.commit)

    def commit(self, _: bytes, filtered: list[bytes]) -> None:
        self.asked.append(filtered)
        if self.error is not None:
            raise self.error


def test_the_kernel_is_asked_where_something_changes_and_again_at_the_next_takeover_where_it_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kernel, made = Kernel(monkeypatch), AcceptFilter("mark")
    kernel.error = OSError(errno.EPROTONOSUPPORT, "Protocol not supported")
    with pytest.raises(OSError, match="supported"):
        made.update("a", [b"1"])
    made.keep(["a", "b"])
    assert len(kernel.asked) == 1, "not whenever netlink reports something"
    kernel.error = None
    made.update("a", [b"1"])
    made.update("a", [b"1"])
    made.update("b", [b"1", b"2"])
    made.keep(["b", "a"])
    made.keep(["a"])
    made.update("a", [])
    assert kernel.asked[1:] == [[b"1"], [b"1", b"2"], [b"1"], []]


def test_what_could_not_be_left_out_is_left_out_at_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, made = Kernel(monkeypatch), AcceptFilter("mark")
    made.update("a", [b"1"])
    made.update("b", [b"2"])
    kernel.error = OSError(errno.ENOBUFS, "No buffer space available")
    for _ in range(2):
        with pytest.raises(OSError, match="buffer"):
            made.keep(["a"])
    kernel.error = None
    made.keep(["a"])
    made.keep(["a"])
    assert kernel.asked[2:] == [[b"1"], [b"1"], [b"1"]]
