"""What the kernel is asked: any name and label that a file can hold goes into a request as it stands there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vipd.config.model import VirtualAddress
from vipd.kernel.rtnetlink import address_request, link, link_request


def test_a_label_that_is_no_utf_8_is_asked_for_to_the_octet() -> None:
    label = b"eth0:\xe9".decode("utf-8", "surrogateescape")
    assert b"eth0:\xe9\0" in address_request(VirtualAddress("10.0.0.9", 24, "eth0", label=label), 2)


@given(st.binary(min_size=1, max_size=15).filter(lambda octets: b"\0" not in octets))
def test_a_link_is_asked_for_by_the_very_octets_that_it_was_reported_with(name: bytes) -> None:
    text = name.decode("utf-8", "surrogateescape")
    reported = link(link_request(2, name=text, alias=text))
    assert reported is not None
    assert (reported.name, reported.alias) == (text, text)
    assert name + b"\0" in link_request(name=reported.name)
