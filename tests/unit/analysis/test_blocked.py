"""What SELinux and a firewall refused is told in the report, by lines as EL and Ubuntu write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import synthetic as s
from viplab.analysis.blocked import blocked
from viplab.analysis.reading import read_trial
from viplab.analysis.trial import view_trial
from viplab.run_folder import TrialFolder

AVC = (
    'type=AVC msg=audit(1.2:3): avc:  denied  { write } for  pid=8 comm="keepalived" name="run.pid" dev="tmpfs" ino=31 '
    "scontext=system_u:system_r:keepalived_t:s0 tcontext=system_u:object_r:var_run_t:s0 tclass=file permissive=0"
)
REJECT = (
    "Nov 27 02:00:00 centOS-hostB kernel: filter_IN_public_REJECT: IN=eth0 OUT= MAC=01:00:5e "
    "SRC=10.10.10.11 DST=224.0.0.18 LEN=40 TOS=0x00 PREC=0xC0 TTL=255 ID=1 PROTO=112"
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (AVC, "SELinux denied keepalived { write } of file run.pid"),
        (AVC.replace("permissive=0", "permissive=1"), "SELinux would deny keepalived { write } of file run.pid"),
        (
            'kernel: audit: type=1400 audit(1.2:3): avc:  denied  { name_bind } for  pid=1 comm="python3" src=8080 '
            "scontext=a tcontext=b tclass=tcp_socket permissive=0",
            "SELinux denied python3 { name_bind } of tcp_socket",
        ),
        (REJECT, "the firewall refused VRRP from 10.10.10.11 to 224.0.0.18 on eth0"),
        (
            "kernel: FINAL_REJECT: IN=eth1 OUT= SRC=192.168.122.1 DST=192.168.122.9 LEN=60 PROTO=TCP SPT=5 DPT=80 SYN",
            "the firewall refused TCP port 80 from 192.168.122.1 to 192.168.122.9 on eth1",
        ),
        (
            "kernel: [UFW BLOCK] IN=eth0 OUT= MAC=01 SRC=10.10.10.12 DST=224.0.0.18 LEN=40 PROTO=112 ",
            "the firewall refused VRRP from 10.10.10.12 to 224.0.0.18 on eth0",
        ),
    ],
)
def test_each_form_of_a_refusal_is_a_clause(line: str, said: str) -> None:
    assert blocked([line]) == [said]


@pytest.mark.parametrize(
    "line",
    ["", "Keepalived_vrrp: dropping root privileges", "avc:  granted  { load_policy } for  pid=1", "kernel: REJECT"],
)
def test_what_is_no_refusal_is_none(line: str) -> None:
    assert blocked([line]) == []


def test_the_same_refusal_is_told_once_with_how_often_and_what_is_most_first() -> None:
    told = blocked([AVC, *[REJECT.replace("ID=1", f"ID={number}") for number in range(12)]])
    assert told == [
        "the firewall refused VRRP from 10.10.10.11 to 224.0.0.18 on eth0 (12 times)",
        "SELinux denied keepalived { write } of file run.pid",
    ]


def test_a_host_that_is_refused_something_new_all_the_time_does_not_fill_a_report() -> None:
    told = blocked(AVC.replace("run.pid", f"{number}.pid") for number in range(1000))
    assert len(told) == 21
    assert told[-1] == "and 980 things more were refused"


def test_a_report_says_of_which_host_and_a_trial_without_such_lines_says_nothing(tmp_path: Path) -> None:
    folder = next((s.write_run(tmp_path / "run", [s.case_a(s.FAMILIES[1])]) / "trials").iterdir())
    assert not [note for note in view_trial(read_trial(TrialFolder(folder))).notes if "refused" in note]
    (folder / "hosts" / "B" / "audit.log").write_bytes(AVC.encode() + b"\n\xff\n")
    with (folder / "hosts" / "B" / "messages.log").open("a") as log:
        log.write(REJECT + "\n")
    notes = view_trial(read_trial(TrialFolder(folder))).notes
    assert "On B the firewall refused VRRP from 10.10.10.11 to 224.0.0.18 on eth0." in notes
    assert "On B SELinux denied keepalived { write } of file run.pid." in notes
