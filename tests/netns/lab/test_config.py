"""The user's own keepalived.conf, run for real: the daemons take it, and what is predicted of it comes true."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from support.scenarios import InNamespaces, needs, passed, scenario
from viplab.analysis.asked import own_configuration
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.config.adopting import own
from viplab.scenario.load import parse_scenario
from viplab.subjects.keepalived import Keepalived
from viplab.subjects.registry import assignment

FILE = """\
! a pair of gateways
vrrp_instance outside {{
    state BACKUP
    nopreempt
    interface ens192
    virtual_router_id 60
    priority {priority}
    version 3
    advert_int 0.5
    unicast_src_ip 203.0.113.{own}
    unicast_peer {{
        203.0.113.{peer}
    }}
    virtual_ipaddress {{
        203.0.113.5/28 label ens192:vip
    }}
    virtual_routes {{
        0.0.0.0/0 via 203.0.113.1 dev ens192 table 7
    }}
}}
vrrp_instance inside {{
    state BACKUP
    interface bond0.100
    virtual_router_id 61
    priority {priority}
    version 3
    advert_int 0.5
    virtual_ipaddress {{
        10.20.30.1/24
        10.20.30.2/24
    }}
}}
"""


@pytest.mark.parametrize("subject", ["vipd", pytest.param("keepalived", marks=needs(Keepalived))])
def test_a_user_s_own_pair_of_gateways_fails_over_when_the_model_says(
    in_namespaces: InNamespaces, tmp_path: Path, subject: str
) -> None:
    (tmp_path / "one.conf").write_text(FILE.format(priority=110, own=2, peer=3))
    (tmp_path / "two.conf").write_text(FILE.format(priority=100, own=3, peer=2))
    given = own(f"A={tmp_path / 'one.conf'},B={tmp_path / 'two.conf'}")
    text = scenario(
        "stop: {host: A}", "wait: {master: B}", "observe: 1.5", "bring_back: A", "wait: {master: A}", "observe: 2"
    )
    text, _, _ = given.into(text, parse_scenario(text, "test"))
    record = read_trial(in_namespaces.run(text, assignment(subject, "keepalived-2")))
    assert record.all("error") == []
    assert own_configuration(record.asked)
    assert record.config["A"]["keepalived.conf"] == given.asked.given["A"].text
    view = view_trial(record)
    assert passed(view.summary), view.summary.reason
    assert view.info.nodes["A"].advert_int_s == 0.5


def test_a_host_without_a_program_that_its_configuration_runs_is_said_and_no_daemon_is_started(
    in_namespaces: InNamespaces,
) -> None:
    text = scenario("observe: 1")
    data = yaml.safe_load(text)
    data["hosts"]["B"]["programs"] = ["/bin/true", "ip", "/none/such 1", "/etc/passwd"]
    record = read_trial(in_namespaces.run(yaml.safe_dump(data), assignment("vipd")))
    (error,) = record.all("error")
    assert error.message == (
        "B: needs /none/such 1, /etc/passwd (`programs`), and has no such program; "
        "have it in the image, or take it out of keepalived.conf"
    )
