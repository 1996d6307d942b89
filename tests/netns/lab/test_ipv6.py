"""A virtual address of IPv6, for real: adverts between link-local addresses, ND in place of ARP, the same verdicts."""

from __future__ import annotations

import pytest

from support.scenarios import InNamespaces, needs, passed, scenario
from viplab.addresses import link_local
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.capture.frames import Advert, Neighbour
from viplab.lab.topology import make_host
from viplab.subjects.keepalived import Keepalived
from viplab.subjects.subject import Subject
from viplab.subjects.vipd import Vipd

OVER_IPV6 = "vrrp: {version: 3, virtual_ipaddress: [fe80::50/64 dev eth1, 'fd00:122::50/64 dev eth1']}"
SUBJECTS = [
    pytest.param(Vipd("keepalived-2"), id="vipd"),
    pytest.param(Keepalived(), id="keepalived", marks=needs(Keepalived)),
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_backup_of_an_ipv6_address_takes_over_and_the_client_learns_it_by_an_advertisement(
    in_namespaces: InNamespaces, subject: Subject
) -> None:
    steps = ("ping: start", "wait: {pings: 1}", "power_cut: {host: A}", "wait: {announced: B}", "ping: stop")
    record = read_trial(in_namespaces.run(scenario(*steps, owner="B", more=OVER_IPV6), subject))
    assert record.all("error") == []
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    (fault,) = view.faults
    assert (fault.old_master, fault.new_master) == ("A", "B")
    assert fault.moments.first_garp_ns is not None
    assert view.ping is not None
    assert view.ping.summary.received

    sources = [link_local(make_host(name).interface("eth0").mac) for name in ("A", "B")]
    assert {advert.src_ip for advert in record.adverts} == set(sources)
    assert {(one.version, one.dst_ip, one.ttl) for one in record.adverts if isinstance(one, Advert)} == {
        (3, "ff02::12", 255)
    }
    assert record.announcements
    assert all(isinstance(frame, Neighbour) and frame.override for frame in record.announcements)
    assert record.client_entry(record.end_ns) == make_host("B").interface("eth1").mac
    owners = [owners for _, _, owners in record.owners(record.start_ns, record.end_ns)]
    assert ["A"] in owners
    assert owners[-1] == ["B"]
    assert "::" not in {frame.src_ip for frame in record.neighbours}, "nobody looks for duplicates"


def test_ipv6_is_off_where_the_virtual_address_is_of_ipv4(in_namespaces: InNamespaces) -> None:
    record = read_trial(in_namespaces.run(scenario("observe: 0.5")))
    assert record.all("error") == []
    assert record.neighbours == []
