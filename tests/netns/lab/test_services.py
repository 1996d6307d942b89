"""HAProxy and nginx on the VIP for real in namespaces; skipped where they are not installed."""

from __future__ import annotations

import shutil

import pytest

from support.scenarios import InNamespaces, passed
from viplab.analysis import expectations
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial

SCENARIO = """\
scenario: test
title: t
story: s
vrrp: {{track_interface: [eth1]}}
http: {{rate: 10}}
sysctl: {{net.ipv4.ip_nonlocal_bind: {nonlocal_bind}}}
hosts:
  A: {{state: MASTER, priority: 102}}
  B: {{state: BACKUP, priority: 101}}
  C: {{}}
setup:
  - start: A
  - start: B
  - wait: {{announced: A}}
  - serve: {{service: {service}, host: A}}
  - serve: {{service: {service}, host: B}}
steps:
  - observe: 1
  - carrier_lost: {{host: A, interface: eth1}}
  - wait: {{master: B}}
  - observe: 1
expect: {{owner: B, serving: {serving}}}
"""


@pytest.mark.parametrize("service", ["haproxy", "nginx"])
@pytest.mark.parametrize(("nonlocal_bind", "serving"), [(1, ["A", "B"]), (0, ["A"])])
def test_a_service_starts_on_the_backup_only_where_it_may_bind_to_an_address_that_is_not_there(
    in_namespaces: InNamespaces, service: str, nonlocal_bind: int, serving: list[str]
) -> None:
    if shutil.which(service) is None:
        pytest.skip(f"{service} is not installed")
    asked = SCENARIO.format(service=service, nonlocal_bind=nonlocal_bind, serving=serving)
    record = read_trial(in_namespaces.run(asked))
    assert (record.issues, record.all("error"), expectations.misses(record)) == ([], [], [])
    assert [event.get("host") for event in record.all("service_started") if event["listens"]] == serving
    assert passed(view_trial(record).summary), view_trial(record).summary.reason
    answers = {request.host for request in record.http if request.connection == "new" and request.error is None}
    refused = any(request.error == "refused" for request in record.http)
    assert (answers, refused) == (set(serving), serving == ["A"])
