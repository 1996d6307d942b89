"""`keepalived -t` and `vipd -t`, on the same file, in a namespace of their own."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

from vipd import cli

SETUP = """
set -e
mount --make-rprivate /
mount -t tmpfs none /run
# What words stand for a number is not asked of this machine: some have no such files, others have more in them.
cp -a /etc /run/etc
rm -rf /run/etc/iproute2
mkdir /run/etc/iproute2
(
cd /run/etc/iproute2
printf '255 local\\n254 main\\n253 default\\n' >rt_tables
printf '0 global\\n200 site\\n253 link\\n254 host\\n255 nowhere\\n' >rt_scopes
printf '2 kernel\\n3 boot\\n4 static\\n11 zebra\\n18 keepalived\\n186 bgp\\n188 ospf\\n' >rt_protos
printf '0x28 AF11\\n0xB8 EF\\n0xC0 CS6\\n' >rt_dsfield
printf '0 cosmos\\n' >rt_realms
printf '0 default\\n' >group
printf 'icmp 1 ICMP\\ntcp 6 TCP\\nudp 17 UDP\\nipv6-icmp 58 IPv6-ICMP\\n' >../protocols
)
mount --bind /run/etc /etc
# keepalived copies files at the word of a few keywords, and with -t, too.
awk '$2 !~ "^/(run|proc|sys|dev)" {print $2}' /proc/mounts |
    while read -r place; do mount -o remount,bind,ro "$place"; done
ip link set lo up
for number in 0 1 2; do
    ip link add eth$number type veth peer name peer$number
    ip link set peer$number up
    ip link set eth$number up
    ip addr add 10.$((number + 1)).1.9/24 dev eth$number
    ip -6 addr add fe80::9/64 dev eth$number nodad
done
mkdir /run/scripts
for name in good loose plain; do printf '#!/bin/sh\\n' >/run/scripts/$name; chmod 755 /run/scripts/$name; done
chmod 777 /run/scripts/loose
chmod 644 /run/scripts/plain
ln -s good /run/scripts/linked
exec "$@"
"""
_HANGS_S = 20
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Judgement(NamedTuple):
    """What one of them says of a file."""

    status: int
    lines: tuple[str, ...]


def in_namespace(*command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command where there are three interfaces and some scripts, and nothing of this machine can be changed."""
    apart = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    outside = ("unshare", *apart, "sh", "-c", SETUP, "sh")
    environment = {"PATH": _PATH, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [*outside, *command], env=environment, input=given, capture_output=True, text=True, check=False
    )


def keepalived(file: Path) -> Judgement:
    """keepalived's judgement; a signal that it died of is a negative status, -9 that it did not end by itself."""
    command = ["keepalived", "-t", "-l", "-i", "hostA", "-f", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_HANGS_S, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return Judgement(-signal.SIGKILL, ())
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return Judgement(done.returncode, tuple(line.strip() for line in said.splitlines() if line.strip()))


def vipd(file: Path) -> Judgement:
    """Ask vipd, in this process; status 70 is an exception, of `-t` or of `--explain`."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            status = cli.main(["-t", "-i", "hostA", "-f", str(file)])
            cli.main(["--explain", "-i", "hostA", "-f", str(file)])
        except Exception:
            status = 70
            traceback.print_exc(file=said)
    return Judgement(status, tuple(dict.fromkeys(line for line in said.getvalue().splitlines() if line.strip())))
