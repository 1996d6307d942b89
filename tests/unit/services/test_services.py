"""What runs on top of the VIP: what a scenario may ask for, and what is made of a start that fails."""

from __future__ import annotations

import dataclasses

import pytest

from support.scenarios import scenario as pair
from viplab.errors import InputError, LabError
from viplab.experiment.support import not_supported
from viplab.lab.guest import Result
from viplab.lab.netns.kind import NETNS
from viplab.lab.registry import lab_kind
from viplab.lab.topology import make_host
from viplab.scenario import step
from viplab.scenario.load import load_scenario, parse_scenario, scenario_files
from viplab.services import SERVICES
from viplab.subjects import registry

HAPROXY = load_scenario(scenario_files()["haproxy"])


class Host:
    """A host that answers each command as it is told, and keeps what is put there."""

    def __init__(self, printed: bytes, *, failing: str) -> None:
        self.host = make_host("B")
        self.files: dict[str, bytes] = {}
        self._printed, self._failing = printed, failing

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        return Result(command, int(self._failing in command), "", "")

    def put(self, content: bytes, path: str) -> None:
        self.files[path] = content

    def get(self, path: str) -> bytes:
        return self._printed


@pytest.mark.parametrize("failing", ["haproxy -D", "ss -Hltn"])
def test_a_service_that_does_not_start_or_listen_is_a_result_with_its_words(failing: str) -> None:
    host = Host(b"[ALERT] cannot bind\n\n  Exiting.\n", failing=failing)
    came = SERVICES["haproxy"].start_on(host, HAPROXY)  # type: ignore[arg-type]
    assert (came.listens, came.said) == (False, "[ALERT] cannot bind / Exiting.")


def test_a_service_that_is_not_installed_is_no_result() -> None:
    with pytest.raises(LabError, match=r"centOS-hostB has no /usr/sbin/haproxy; its image needs the package haproxy"):
        SERVICES["haproxy"].start_on(Host(b"", failing="[ -e"), HAPROXY)  # type: ignore[arg-type]


def test_haproxy_binds_to_the_vip_alone_and_has_each_host_without_a_daemon_behind_it() -> None:
    (text,) = SERVICES["haproxy"].files(HAPROXY, "B").values()
    assert "bind 192.168.122.50:80\n" in text
    assert [line.split()[1:3] for line in text.splitlines() if line.startswith("    server")] == [
        ["C", "10.10.10.13:80"],
        ["D", "10.10.10.14:80"],
    ]
    assert 'set-header via "1.1 B"' in text


def test_a_pair_that_translates_gives_connections_in_turn_to_each_host_behind_it_under_the_inner_address() -> None:
    scenario = load_scenario(scenario_files()["conntrackd"])
    rules, daemon = SERVICES["conntrackd"].files(scenario, "B").values()
    assert "dnat to numgen inc mod 2 map { 0 : 10.10.10.13, 1 : 10.10.10.14 }" in rules
    assert "snat to 10.10.10.50" in rules
    assert "IPv4_interface 10.10.10.12\n" in daemon


def test_the_bench_answers_itself_only_where_nothing_else_is_to() -> None:
    answering = {name: load_scenario(path).responders for name, path in scenario_files().items()}
    assert answering["haproxy"] == ["C", "D"]
    assert answering["nginx-on-vip"] == answering["case-a"] == []
    assert answering["application"] == ["A", "B"]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (
            "serve: {service: haproxi, host: A}",
            "there is no service 'haproxi'; there are: haproxy, nginx, nat, conntrackd, firewalld",
        ),
        ("serve: {service: haproxy, host: C}", "there is no host C"),
        ("serve: {service: haproxy, host: A}", "haproxy needs hosts behind it; add one without state and priority"),
        ("serve: {host: A}", "steps.0.serve.service: Field required"),
    ],
)
def test_a_service_that_cannot_be_is_an_error_of_one_line(done: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_scenario(pair(done), "mine")
    (line,) = str(caught.value).splitlines()
    assert said in line


@pytest.mark.parametrize("name", ["kernel.panic", "net.ipv4./../x", "net.ipv6.conf.all.forwarding"])
def test_no_setting_but_those_of_a_host_s_own_ipv4_is_taken(name: str) -> None:
    # Everything else is the machine's own in a lab of namespaces.
    with pytest.raises(InputError, match="sysctl"):
        parse_scenario(pair("observe: 1", more=f"sysctl: {{{name}: 1}}"), "mine")


def test_a_service_is_not_served_under_an_address_of_ipv6() -> None:
    more = "vrrp: {version: 3, virtual_ipaddress: fd00:192:168:122::50/64 dev eth1}"
    with pytest.raises(InputError, match="serve: services are bound to an address of IPv4"):
        parse_scenario(pair("serve: {service: nginx, host: A}", more=more), "mine")


@pytest.mark.parametrize(
    ("done", "serving", "said"),
    [
        ("observe: 1", "[]", "nothing is served; give"),
        ("observe: 1", "[A]", "nothing is served on A"),
        ("serve: {service: nginx, host: A}", "[A, B]", "nothing is served on B"),
    ],
)
def test_a_service_expected_and_not_served_is_an_error(done: str, serving: str, said: str) -> None:
    text = pair(done).replace("expect: {owner: A}", f"expect: {{owner: A, serving: {serving}}}")
    with pytest.raises(InputError, match=rf"expect\.serving: {said}"):
        parse_scenario(text, "mine")


def test_what_is_not_installed_is_not_supported_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = dataclasses.replace(SERVICES["haproxy"], present=("/nowhere/haproxy",))
    monkeypatch.setitem(SERVICES, "haproxy", absent)
    assert step.SERVICES is SERVICES
    why = not_supported(HAPROXY, registry.assignment("vipd"), NETNS)
    assert why == "there is no /nowhere/haproxy here; install haproxy, or take another --lab"


def test_what_the_image_has_not_is_not_supported_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        SERVICES, "haproxy", dataclasses.replace(SERVICES["haproxy"], packages=("haproxy-of-tomorrow",))
    )
    why = not_supported(HAPROXY, registry.assignment("vipd"), lab_kind("libvirt"))
    assert why == "the image debian-12 has no package haproxy-of-tomorrow; take another --lab"
