"""What is tracked, on a real kernel: files as they are written, processes as they die, scripts as they end or do not.

One daemon, and an instance for each thing, so that the priority of each shows one thing alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.hosts import Hosts

_CONFIG = """\
global_defs {
    enable_script_security
    script_user root
}
track_file level {
    file /run/level
    weight 2
    init_file 0
}
track_file flag {
    file /run/flag
    weight 0
}
vrrp_track_process workers {
    process vipd-worker
    quorum 2
    weight 20
}
vrrp_track_process needed {
    process /run/vipd-needed 999
    param_match initial
}
vrrp_script counted {
    script "/run/counted"
    interval 0.1
    timeout 5
    rise 3
    fall 2
    weight 30
}
vrrp_script hanging {
    script "/run/hanging"
    interval 0.2
    timeout 0.3
    weight -40
}
vrrp_script needed {
    script "/usr/bin/test ! -e /run/broken"
    interval 0.2
}
"""
_INSTANCE = """\
vrrp_instance {name} {{
    version 3
    interface eth0
    virtual_router_id {vrid}
    priority 100
    advert_int 0.2
    track_{kind} {{
        {thing}
    }}
    virtual_ipaddress {{
        10.0.0.{vrid}/24
    }}
}}
"""
_TRACKED = (
    ("level", "file", "level"),
    ("flag", "file", "flag"),
    ("workers", "process", "workers"),
    ("process", "process", "needed weight 0"),
    ("counted", "script", "counted"),
    ("hanging", "script", "hanging"),
    ("script", "script", "needed"),
)
# The exit statuses of its first runs; all later ones are good.
_COUNTED = """\
#!/bin/sh
echo >>/run/counted.runs
runs=$(wc -l </run/counted.runs)
test "$runs" -gt 10 && exit 0
set -- 0 1 0 1 1 0 1 0 0 0
shift $((runs - 1))
exit $1
"""
_HANGING = """\
#!/bin/sh
test -e /run/hang || exit 0
exec 9>/run/hanging.lock
flock -n 9 || touch /run/twice
trap : TERM
while test -e /run/hang; do sleep 0.1; done
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    hosts = Hosts(Path(tmp_path_factory.mktemp("tracking")))
    try:
        instances = (
            _INSTANCE.format(name=name, vrid=vrid, kind=kind, thing=thing)
            for vrid, (name, kind, thing) in enumerate(_TRACKED, 50)
        )
        (hosts.folder / "A.conf").write_text(_CONFIG + "".join(instances))
        for name, text in (("counted", _COUNTED), ("hanging", _HANGING)):
            hosts.run(f"printf %s {shlex.quote(text)} >/run/{name} && chmod 755 /run/{name}")
        hosts.run("cp /bin/sleep /run/vipd-worker && cp /bin/sleep /run/vipd-needed && touch /run/counted.runs")
        hosts.launch("A", "keepalived-2")
        hosts.pid("A")
        yield hosts
    finally:
        hosts.close()


def until(hosts: Hosts, name: str, priority: int, fault: bool = False) -> None:
    """Wait until an instance has this effective priority, and is in FAULT or not."""

    def so() -> bool:
        found = hosts.status("A")[name]
        return (found["effective-priority"], found["vipd-state"] == "Fault") == (priority, fault)

    hosts.wait(f"{name}: {priority}{' in FAULT' * fault}", so)


def said(hosts: Hosts, script: str) -> list[str]:
    """What the log says of a script."""
    return re.findall(rf"VRRP_Script\({script}\) (.*)", hosts.log("A"))


def test_a_file_moves_the_priority_whenever_it_is_written_replaced_or_removed(host: Hosts) -> None:
    until(host, "level", 100)
    assert host.run("cat /run/level") == "0\n", "init_file makes it"
    host.run("echo 10 >/run/level")
    until(host, "level", 120)
    host.run("echo -60 >/run/level")
    until(host, "level", 1)
    host.run("echo -127 >/run/level")  # times 2: no more than -254
    until(host, "level", 1, fault=True)
    host.run("echo 120 >/run/new && mv /run/new /run/level")
    until(host, "level", 254)
    host.run("rm /run/level")
    until(host, "level", 100)
    host.run("echo rubbish >/run/level")
    host.run("echo 3 >>/run/other; echo 1 >/run/flag")
    until(host, "flag", 100, fault=True)
    until(host, "level", 100)
    host.run("rm /run/flag")
    until(host, "flag", 100)


def test_processes_count_by_their_quorum_and_as_long_as_they_live(host: Hosts) -> None:
    until(host, "workers", 100)
    until(host, "process", 100, fault=True)
    # The shell that waits for them keeps none as a zombie.
    host.spawn("sh -c '/run/vipd-worker 998 & /run/vipd-worker 999 & /run/vipd-needed 999 & wait'", "workers.log")
    until(host, "workers", 120)
    until(host, "process", 100)
    host.run("pkill -f '^/run/vipd-worker 998' && pkill -f '^/run/vipd-needed'")
    until(host, "workers", 100)
    until(host, "process", 100, fault=True)
    host.spawn("/run/vipd-worker 997", "workers.log")
    until(host, "workers", 120)


def test_a_script_counts_after_rise_or_fall_results_in_a_row(host: Hosts) -> None:
    host.wait("all of its runs", lambda: int(host.run("wc -l </run/counted.runs")) > 10)
    host.wait("the last change", lambda: len(said(host, "counted")) >= 3)
    assert said(host, "counted") == ["succeeded", "failed (exited with status 1)", "succeeded"]
    assert re.findall(r"\(counted\) Changing effective priority from (\d+ to \d+)", host.log("A"))[-2:] == [
        "130 to 100",
        "100 to 130",
    ]
    until(host, "counted", 130)


def test_a_script_that_hangs_is_bad_when_its_time_is_up_and_is_never_run_twice_at_a_time(host: Hosts) -> None:
    until(host, "hanging", 100)
    host.run("touch /run/hang")
    until(host, "hanging", 60)
    assert said(host, "hanging")[-1] == "timed out"
    host.run("rm /run/hang")
    until(host, "hanging", 100)
    assert host.run("ls /run/twice 2>&1", check=False).endswith("No such file or directory\n")


def test_a_script_without_weight_puts_the_router_in_fault_and_lets_it_out(host: Hosts) -> None:
    until(host, "script", 100)
    host.run("touch /run/broken")
    until(host, "script", 100, fault=True)
    host.run("rm /run/broken")
    until(host, "script", 100)
