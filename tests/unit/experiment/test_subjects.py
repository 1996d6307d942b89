"""The registry: subjects by name and profile, and those that another distribution brings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from viplab.errors import HostError, InputError
from viplab.experiment.support import not_supported
from viplab.faults import HostTarget
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import resolve
from viplab.scenario.model import Node, Vrrp
from viplab.scenario.step import Step
from viplab.subjects import registry
from viplab.subjects.assignment import Assignment
from viplab.subjects.frr import DAEMONS, Frr
from viplab.subjects.ucarp import Ucarp
from viplab.subjects.vipd import Vipd

TOY = """\
from viplab.subjects.family import Family
from viplab.subjects.subject import Subject


class Toy(Subject):
    name = "toy"
    profiles = (Family("toy-1"),)
    start_command = stop_command = "true"

    def configuration(self, scenario, host):
        return {"/etc/toy.conf": f"vip {scenario.vrrp.vip}\\n"}

    def version(self, guest):
        return "1"

    def processes(self, guest):
        return [1]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed distributions, of which the registry has seen none yet."""
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._plug_ins.cache_clear()
    registry._kind.cache_clear()
    yield tmp_path
    registry._plug_ins.cache_clear()
    registry._kind.cache_clear()
    sys.modules.pop("toy", None)


def install(site: Path, text: str, entry: str = "toy = toy:Toy") -> None:
    (site / "toy.py").write_text(text)
    info = site / "viplab_toy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: viplab-toy\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[viplab.subjects]\n{entry}\n")


def test_an_unknown_subject_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"no subject 'bird'; there are: vipd, keepalived"):
        registry.subject("bird")


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"vipd has no profile 'x'; there are: keepalived-1.2.2, keepalived-2"):
        registry.subject("vipd", "x")


def test_a_profile_is_for_those_of_several_subjects_that_have_it() -> None:
    both = registry.chosen(["vipd", "keepalived"], "keepalived-1.2.2")
    assert [(one.name, one.profile) for one in both] == [("vipd", "keepalived-1.2.2"), ("keepalived", "keepalived-2")]
    with pytest.raises(InputError, match=r"none of these subjects has 'keepalived-1.2.2': keepalived has keepalived-2"):
        registry.chosen(["keepalived"], "keepalived-1.2.2")


def test_a_subject_of_one_file_is_there_once_its_package_is_installed(site: Path) -> None:
    install(site, TOY)
    assert registry.names()[-1] == "toy"
    toy = registry.subject("toy")
    assert (toy.name, toy.profile) == ("toy", "toy-1")
    assert registry.find_family("toy-1", "toy") is toy.family


@pytest.mark.parametrize(
    ("text", "entry", "said"),
    [
        ("import nothing_of_that_name", "toy = toy:Toy", "does not load (ModuleNotFoundError: "),
        ("raise RuntimeError('two\\nlines')", "toy = toy:Toy", "does not load (RuntimeError: two lines)"),
        ("Toy = 1", "toy = toy:Toy", "1 is no subclass of viplab.subjects.subject.Subject"),
    ],
)
def test_a_broken_plug_in_is_one_line_that_names_its_package(site: Path, text: str, entry: str, said: str) -> None:
    install(site, text, entry)
    with pytest.raises(HostError) as caught:
        registry.subject("toy")
    assert str(caught.value).startswith("subject toy: the plug-in of viplab-toy does not load ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert registry.find_family("keepalived-2", "vipd").name == "keepalived-2", "nobody else is harmed"


def test_a_family_that_no_installed_subject_has_is_an_error_of_one_line() -> None:
    with pytest.raises(InputError, match=r"^no subject that is installed here is of the family 'bird-1'$"):
        registry.find_family("bird-1", "bird")


def test_each_host_may_run_a_subject_of_its_own() -> None:
    pair = registry.assignment("B=vipd,A=keepalived")
    assert (pair.name, pair.profile) == ("A=keepalived,B=vipd", "A=keepalived-2,B=keepalived-1.2.2")
    assert [pair.on(host).name for host in "AB"] == ["keepalived", "vipd"]
    assert registry.assignment(pair.name, pair.profile).profile == pair.profile


def test_a_profile_that_both_hosts_show_is_named_once() -> None:
    (pair,) = registry.chosen(["A=keepalived,B=vipd"], "keepalived-2")
    assert pair.profile == "keepalived-2"
    assert registry.assignment(pair.name, pair.profile).profile == pair.profile


@pytest.mark.parametrize(
    "said", ["A=vipd,A=keepalived", "a=vipd", "A=vipd,keepalived", "A=", "=vipd", "A=vipd,", "A=v=w"]
)
def test_it_has_to_be_said_of_each_host_once_what_it_runs(said: str) -> None:
    with pytest.raises(InputError, match=r"say of each host once|'v=w': say"):
        registry.chosen([said], None)
    with pytest.raises(InputError):
        registry.assignment(said)


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        ("A=keepalived,B=vipd", None),
        ("A=keepalived", "A=keepalived names no daemon for host B"),
        (
            "A=keepalived,B=frr",
            "A=keepalived,B=frr cannot do failover: adverts leave by eth0 on A, eth1 on B",
        ),
    ],
)
def test_what_is_no_pair_is_not_supported(pair: str, why: str | None) -> None:
    ((_, scenario),) = resolve(["failover"])
    assert not_supported(scenario, registry.assignment(pair), NETNS) == why


@pytest.mark.parametrize(
    ("scenario", "subject", "done"),
    [
        ("interconnect-cut", "vipd", True),
        ("interconnect-cut", "frr", False),
        ("stranger-outranks", "frr", False),
        ("interconnect-cable-pulled", "ucarp", False),
        ("public-cut", "frr", True),
        ("freeze-brief", "frr", True),
    ],
)
def test_a_fault_of_a_network_that_has_no_adverts_is_not_supported(scenario: str, subject: str, done: bool) -> None:
    ((_, asked),) = resolve([scenario])
    said = not_supported(asked, registry.assignment(subject), NETNS)
    assert (said is None) == done, said
    assert said is None or "the adverts travel on another" in said


@pytest.mark.parametrize(
    ("pair", "done"), [("A=keepalived,B=vipd", True), ("A=vipd,B=keepalived", False), ("keepalived", True)]
)
def test_of_a_mixed_pair_only_the_daemon_that_is_struck_has_to_bear_the_fault(pair: str, done: bool) -> None:
    ((_, struck_a),) = resolve(["parent-killed"])
    said = not_supported(struck_a, registry.assignment(pair), NETNS)
    assert (said is None) is done
    assert done or said == "kill_parent needs a daemon of more than one process, and vipd has none"


def test_a_host_without_a_daemon_gets_none_installed() -> None:
    installed: list[str] = []

    class Noted(Vipd):
        def install(self, guest: Any) -> None:
            installed.append(guest.host.name)

    pair = Assignment({"A": Noted(), "B": Noted()})
    for host in "ABC":
        pair.install(cast("Any", SimpleNamespace(host=SimpleNamespace(name=host))))
    assert installed == ["A", "B"]


def test_carp_s_skew_is_none_for_the_highest_priority_and_the_same_for_equal_ones() -> None:
    ((_, unequal),) = resolve(["failover"])
    assert [Ucarp().advskew(unequal, host) for host in "AB"] == [0, 10]
    nodes = {"A": Node(state="MASTER", priority=101), "B": Node(state="BACKUP", priority=101)}
    equal = unequal.model_copy(update={"hosts": nodes})
    assert [Ucarp().advskew(equal, host) for host in "AB"] == [0, 0]


def test_what_ucarp_cannot_track_and_whom_it_does_not_understand_is_not_supported() -> None:
    ((_, scenario),) = resolve(["failover"])
    tracking = scenario.model_copy(update={"vrrp": Vrrp(track_interface=["eth0"])})
    said = not_supported(tracking, registry.assignment("ucarp"), NETNS)
    assert said is not None
    assert "cannot track eth0" in said
    said = not_supported(scenario, registry.assignment("A=ucarp,B=vipd"), NETNS)
    assert said == "A=ucarp,B=vipd cannot do failover: adverts are carp on A, vrrp2 on B"


def test_daemons_that_do_not_advertise_lose_no_adverts_and_are_struck_at_no_place_between_them() -> None:
    pair = registry.assignment("pacemaker")
    ((_, lossy),) = resolve(["adverts-half-lost"])
    said = "needs adverts that say who is master, and pacemaker has none"
    assert not_supported(lossy, pair, NETNS) == f"adverts_lost {said}"
    ((_, scenario),) = resolve(["failover"])
    assert not_supported(scenario, pair, NETNS) is None
    placed = HostTarget(host="A", place=0.5)
    steps = [Step(step.name, placed) if step.name == "kill" else step for step in scenario.steps]
    assert not_supported(scenario.model_copy(update={"steps": steps}), pair, NETNS) == f"kill {said}"


def frr_started(tmp_path: Path, **daemons: str) -> subprocess.CompletedProcess[str]:
    """What FRR's start command does with scripts in the place of its daemons."""
    for name, script in daemons.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    command = Frr.start_command.replace("install -d -o frr -g frr", "mkdir -p").replace("sh /etc/frr/", "true ")
    command = command.replace(DAEMONS, str(tmp_path)).replace("/run/frr", str(tmp_path / "run"))
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=False, timeout=60)


def test_frr_has_started_though_its_daemons_hold_on_to_what_they_print_to(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    holds = f"sleep 600 & echo $! >{pid}"
    try:
        assert frr_started(tmp_path, mgmtd=f"echo first >{tmp_path}/mgmtd.ran", zebra=holds, vrrpd="").returncode == 0
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (tmp_path / "mgmtd.ran").exists()


def test_frr_that_does_not_start_says_why_and_needs_no_mgmtd(tmp_path: Path) -> None:
    done = frr_started(tmp_path, zebra="", vrrpd="echo no such option >&2; exit 1")
    assert (done.returncode, done.stderr) == (1, "no such option\n")


def test_frr_has_a_macvlan_with_the_virtual_mac_of_the_family_and_over_ipv6_an_address_of_its_own() -> None:
    ((_, ipv6),) = resolve(["ipv6"])
    files = Frr().configuration(ipv6, "A")
    assert " vrrp 51 ipv6 fe80::50\n vrrp 51 ipv6 fd00:122::50\n" in files["/etc/frr/vrrpd.conf"]
    lines = files["/etc/frr/vrrp-interface"].splitlines()
    assert "ip link add vrrp link eth1 address 00:00:5e:00:02:33 type macvlan mode bridge" in lines
    # The last that is added is the first that vrrpd finds.
    added = [line.removeprefix("ip address add ") for line in lines if line.startswith("ip address add")]
    assert added[:2] == ["fe80::50/64 dev vrrp nodad", "fd00:122::50/64 dev vrrp nodad"]
    assert len(added) == 3
    assert "dev eth0 scope link" in added[2]
    ((_, ipv4),) = resolve(["power-cut"])
    assert "address 00:00:5e:00:01:33 " in Frr().configuration(ipv4, "A")["/etc/frr/vrrp-interface"]
