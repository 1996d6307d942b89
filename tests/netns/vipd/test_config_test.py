"""`vipd -t` beside `keepalived -t`: the same files, the same exit status."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.hosts import AGENT

pytestmark = pytest.mark.skipif(shutil.which("keepalived") is None, reason="needs keepalived")

INSTANCE = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress {\n10.1.1.1\n}\n%s\n}\n"
SAFE = "global_defs {\nenable_script_security\nscript_user root\n}\n"
SCRIPT = "vrrp_script c {\nscript /bin/true\n}\n"
FILE = "track_file f {\nfile /etc/hostname\n%s\n}\n"
PROCESS = "vrrp_track_process p {\nprocess foo\n%s\n}\n"
FILES = {
    "good": INSTANCE % "",
    "one line": "vrrp_instance V { interface eth0\nvirtual_router_id 7\nvirtual_ipaddress { 10.1.1.1 }\n}\n",
    "empty": "",
    "unknown keyword": INSTANCE % "prioriti 3",
    "unknown block": "foo {\nx\n}\n" + INSTANCE % "",
    "unknown global": "global_defs {\nnosuch 5\n}\n" + INSTANCE % "",
    "priority out of range": INSTANCE % "priority 999",
    "no such state": INSTANCE % "state LEADER",
    "no address": "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\n}\n",
    "no virtual_router_id": "vrrp_instance V {\ninterface eth0\nvirtual_ipaddress {\n10.1.1.1\n}\n}\n",
    "no such interface": (INSTANCE % "").replace("eth0", "nosuch0"),
    "no such interface, but it may come": "global_defs {\ndynamic_interfaces\n}\n"
    + (INSTANCE % "").replace("eth0", "nosuch0"),
    "tracked interface is not there": INSTANCE % "track_interface {\neth8\n}",
    "block not closed": (INSTANCE % "")[:-2],
    "brace too many": "}\n" + INSTANCE % "",
    "quote not closed": INSTANCE % 'notify_master "/bin/true',
    "no such script": INSTANCE % "track_script {\nnope\n}",
    "script without security": SCRIPT + INSTANCE % "track_script {\nc\n}",
    "script without security, and an error": SCRIPT + INSTANCE % "prioriti 3\ntrack_script {\nc\n}",
    "script with security": SAFE + SCRIPT + INSTANCE % "track_script {\nc\n}",
    "notify without security": INSTANCE % "notify_master /bin/true",
    "two of a name": INSTANCE % "" + INSTANCE % "",
    "two of a number": INSTANCE % "" + (INSTANCE % "").replace(" V ", " W ").replace("10.1.1.1", "10.1.1.2"),
    "half a second in version 2": INSTANCE % "advert_int 0.5",
    "half a second in version 3": INSTANCE % "version 3\nadvert_int 0.5",
    "too long in version 3": INSTANCE % "version 3\nadvert_int 41",
    "password too long": INSTANCE % "authentication {\nauth_type PASS\nauth_pass 123456789\n}",
    "mail": "global_defs {\nsmtp_server 127.0.0.1\n}\n" + INSTANCE % "",
    "no such address": INSTANCE % "virtual_ipaddress {\n10.1.1.300\n}",
    "another family": INSTANCE % "virtual_ipaddress {\nfe80::1\n}",
    "weight out of range": INSTANCE % "track_interface {\neth0 weight 300\n}",
    "nopreempt with state MASTER": INSTANCE % "state MASTER\nnopreempt",
    "group of one": INSTANCE % "" + "vrrp_sync_group G {\ngroup {\nV\n}\n}\n",
    "group of nobody": INSTANCE % "" + "vrrp_sync_group G {\ngroup {\nX\n}\n}\n",
    "include of nothing": "include /nonexistent/*.conf\n" + INSTANCE % "",
    "virtual MAC": INSTANCE % "use_vmac",
    "values too many": INSTANCE % "priority 1 2\nnopreempt yes\nauthentication {\nauth_type PASS\nauth_pass a b\n}",
    "no unicast peer": INSTANCE % "unicast_peer {\n}",
    "unicast without peers": INSTANCE % "unicast_ttl 3",
    "no multicast address": INSTANCE % "mcast_dst_ip 10.0.0.1",
    "multicast of another family": INSTANCE % "mcast_dst_ip ff02::18",
    "group of another family": "global_defs {\nvrrp_mcast_group4 ff02::18\n}\n" + INSTANCE % "",
    "two virtual MACs": INSTANCE % "use_vmac foo bar",
    "physical MAC without a virtual one": INSTANCE % "vmac_xmit_base",
    "group of static addresses in an instance": INSTANCE % "virtual_ipaddress {\n10.1.1.2 track_group G\n}",
    "rule without preference": INSTANCE % "virtual_rules {\nfrom 10.0.0.0/8 table 5\n}",
    "weight of a file out of range": FILE % "weight 255" + INSTANCE % "track_file {\nf\n}",
    "weight of a file at its limit": FILE % "weight -254" + INSTANCE % "track_file {\nf weight 254\n}",
    "quorum above quorum_max": PROCESS % "quorum 3\nquorum_max 2" + INSTANCE % "track_process {\np\n}",
    "quorum_max of nobody": PROCESS % "quorum_max 0" + INSTANCE % "track_process {\np weight -254\n}",
    "script without time": SAFE + SCRIPT.replace("}", "timeout 0\n}") + INSTANCE % "track_script {\nc\n}",
    "script that is not there": SAFE
    + SCRIPT.replace("/bin/true", "/nonexistent/x")
    + INSTANCE % "track_script {\nc\n}",
    "script that is not there, without security": SCRIPT.replace("/bin/true", "/nonexistent/x") + INSTANCE % "",
    "one script is not there, another is, without security": SCRIPT.replace("/bin/true", "/nonexistent/x")
    + SCRIPT.replace(" c ", " d ")
    + INSTANCE % "track_script {\nd\n}",
    "nobody of that name": "global_defs {\nscript_user nosuch\n}\n" + INSTANCE % "",
    "no group of that name": "global_defs {\nscript_user root nosuch\n}\n" + INSTANCE % "",
    "script of nobody": SCRIPT.replace("}", "user nosuch\n}") + INSTANCE % "track_script {\nc\n}",
    "notify script that is not there": SAFE + INSTANCE % "notify_master /nonexistent/x",
    "script without a path": SAFE + SCRIPT.replace("/bin/true", '"sh -c true"') + INSTANCE % "track_script {\nc\n}",
    "script that is not in PATH": SAFE
    + SCRIPT.replace("/bin/true", "nosuchprogram")
    + INSTANCE % "track_script {\nc\n}",
    "shell builtin": SAFE + SCRIPT.replace("/bin/true", '"exit 0"') + INSTANCE % "track_script {\nc\n}",
    "security with a value": SAFE.replace("security", "security no") + SCRIPT + INSTANCE % "track_script {\nc\n}",
    "strict mode with a value": "global_defs {\nvrrp_strict off\n}\n"
    + INSTANCE % "authentication {\nauth_type PASS\nauth_pass a\n}",
    "strict mode and unicast": "global_defs {\nvrrp_strict\n}\n" + INSTANCE % "unicast_peer {\n10.1.1.8\n}",
    "masks where there are none": INSTANCE % "unicast_src_ip 10.1.1.9/24\nunicast_peer {\n10.1.1.8/24\n}",
    "two of a hook": SAFE + INSTANCE % "notify /bin/true\nnotify /bin/false",
    "broadcast address of IPv6": (INSTANCE % "").replace("10.1.1.1", "fe80::1/64 brd +"),
    "label of IPv6": (INSTANCE % "").replace("10.1.1.1", "fe80::1/64 label eth0:1"),
    "no time between announcements": "global_defs {\nvrrp_garp_interval 0\n}\n" + INSTANCE % "",
    "preempt_delay and nopreempt": INSTANCE % "nopreempt\npreempt_delay 5",
    "route without a device": INSTANCE % "virtual_routes {\nblackhole 10.9.0.0/16\n}",
    "route without a device that is not tracked": INSTANCE % "virtual_routes {\nblackhole 10.9.0.0/16 no_track\n}",
    "words of a rule": INSTANCE
    % "virtual_rules {\nfrom all ipproto 6 realms 1/2 table 100 priority 97\nl3mdev order 5\n}",
    "words of a route": INSTANCE
    % "virtual_routes {\n10.9.0.0/16 dev eth0 features ecn congctl lock reno encap ip id 5 dst 10.1.1.9 realms 3\n}",
    "sync group with a weighted script": SAFE
    + SCRIPT.replace("}", "weight 5\n}")
    + INSTANCE % "track_script {\nc\n}"
    + "vrrp_sync_group G {\ngroup {\nV\n}\n}\n",
    "wrong value of a keyword without effect": "global_defs {\nsmtp_alert maybe\n}\n" + INSTANCE % "",
    "virtual_server": "virtual_server 10.0.0.1 80 {\ndelay_loop 6\n}\n" + INSTANCE % "",
}
_SETUP = """
ip link add eth0 type veth peer name peer0
ip link set peer0 up
ip link set eth0 up
ip addr add 10.1.1.9/24 dev eth0
for file in "$1"/*.conf; do
    keepalived -t -l -f "$file" >/dev/null 2>&1; theirs=$?
    %s -m vipd -t -f "$file" >/dev/null 2>"$file.err"; ours=$?
    echo "$(basename "$file" .conf)|$theirs|$ours"
done
"""


def test_exit_statuses_are_those_of_keepalived(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / f"{name}.conf").write_text(text)
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", _SETUP % sys.executable, "sh", str(tmp_path)],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(AGENT)},
        capture_output=True,
        text=True,
        check=True,
    )
    statuses = {name: (theirs, ours) for name, theirs, ours in (line.split("|") for line in done.stdout.splitlines())}
    assert set(statuses) == set(FILES)
    assert {name: both for name, both in statuses.items() if both[0] != both[1]} == {}
    for path in tmp_path.glob("*.err"):
        assert "Traceback" not in path.read_text()
