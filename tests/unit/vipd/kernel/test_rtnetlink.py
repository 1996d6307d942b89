"""What the kernel is asked: any name and label that a file can hold goes into a request as it stands there."""

from __future__ import annotations

from vipd.config.model import VirtualAddress
from vipd.kernel.rtnetlink import address_request


def test_a_label_that_is_no_utf_8_is_asked_for_to_the_octet() -> None:
    label = b"eth0:\xe9".decode("utf-8", "surrogateescape")
    assert b"eth0:\xe9\0" in address_request(VirtualAddress("10.0.0.9", 24, "eth0", label=label), 2)
