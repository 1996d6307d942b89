"""Clauses of RFC 3768 that only a real kernel can show; the rules stand in tests/conformance/clauses.tsv."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import Hosts

ADVERT = re.compile(
    r"\(tos (?P<tos>\S+),.* ttl (?P<ttl>\d+),.*proto VRRP \((?P<protocol>\d+)\), length (?P<length>\d+)\)\s+"
    r"(?P<source>\S+) > (?P<group>\S+): (?P<fields>.*)"
)


@pytest.fixture(scope="module")
def adverts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, str]]]:
    """Three adverts of a master whose VRRP interface has another address after its primary one."""
    hosts = Hosts(Path(tmp_path_factory.mktemp("wire")))
    try:
        hosts.run("ip -n A addr add 10.0.0.200/24 dev eth0")
        hosts.start("A", "rfc9568", priority=200)
        hosts.wait("three adverts", lambda: len(ADVERT.findall(hosts.wire())) >= 3)
        yield [match.groupdict() for match in ADVERT.finditer(hosts.wire())]
    finally:
        hosts.close()


def every(adverts: list[dict[str, str]], field: str) -> set[str]:
    return {advert[field] for advert in adverts}


def test_v2_pkt_01_source_is_the_primary_address(adverts: list[dict[str, str]]) -> None:
    assert every(adverts, "source") == {"10.0.0.2"}


def test_v2_pkt_02_destination_is_the_group(adverts: list[dict[str, str]]) -> None:
    assert every(adverts, "group") == {"224.0.0.18"}


def test_v2_pkt_03_ttl_is_255(adverts: list[dict[str, str]]) -> None:
    assert every(adverts, "ttl") == {"255"}


def test_v2_pkt_04_protocol_is_112(adverts: list[dict[str, str]]) -> None:
    assert every(adverts, "protocol") == {"112"}


def test_v2_tx_03_source_protocol_and_group_are_those_of_the_rfc(adverts: list[dict[str, str]]) -> None:
    assert {(advert["source"], advert["protocol"], advert["group"]) for advert in adverts} == {
        ("10.0.0.2", "112", "224.0.0.18")
    }


def test_tcpdump_reads_in_it_what_was_configured(adverts: list[dict[str, str]]) -> None:
    (fields,) = every(adverts, "fields")
    assert "vrid 51, prio 200, authtype none, intvl 1s, length 20, addrs: 192.168.122.50" in fields
    assert every(adverts, "tos") == {"0xc0"}
