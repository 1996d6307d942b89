"""What a run needs of this machine is looked for before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import HostError, InputError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.inject import nftables
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import parse_scenario, resolve
from viplab.store import RunStore
from viplab.subjects.assignment import Assignment
from viplab.subjects.vipd import Vipd


def plan(*scenarios: str) -> Plan:
    return Plan(scenarios=resolve(list(scenarios)), subjects=[Assignment(Vipd())], lab=NETNS)


def test_programs_that_are_missing_are_named_in_one_line_with_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match=r"^[^\n]*tcpdump, ping, arp: not found here; [^\n]*tcpdump[^\n]*$"):
        session.run(plan("case-a"), RunStore(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_nftables_is_looked_for_where_a_fault_needs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nftables, "_LIBRARY", "libnone.so")
    with pytest.raises(HostError, match=r"libnone\.so: not installed"):
        session.run(plan("truth-cut"), RunStore(tmp_path / "runs"))


def test_a_virtual_address_that_is_somebodys_own_is_refused(tmp_path: Path) -> None:
    ((text, _),) = resolve(["failover"])
    taken = f"{text}\nvrrp: {{virtual_ipaddress: [192.168.122.50 dev eth1, 192.168.122.12 dev eth1]}}\n"
    asked = Plan(scenarios=[(taken, parse_scenario(taken, "mine"))], subjects=[Assignment(Vipd())], lab=NETNS)
    with pytest.raises(InputError, match=r"the virtual address 192\.168\.122\.12 is that of host B; take another"):
        session.run(asked, RunStore(tmp_path / "runs"))
