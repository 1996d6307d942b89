"""`kill -9` of runs on a libvirt with others' things on it: `viplab clean` finds what is left, and theirs is the same.

The libvirt is one in a sandbox. Guests need not have booted: what a crash leaves is there before.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

pytest.importorskip("libvirt")

import libvirt

from support.their_libvirt import DOMAIN, IMAGES, NETWORK, URI, beside_others, picture, viplab
from viplab.lab.libvirt import labelled
from viplab.lab.libvirt.label import new_label
from viplab.lab.owner import this_process

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root"),
    pytest.mark.skipif(shutil.which("libvirtd") is None, reason="libvirtd is not installed"),
]


def kinds(connection: libvirt.virConnect) -> list[str]:
    """What labelled objects there are, each by its kind: domain, network, pool."""
    return [one.what.partition(" ")[0] for one in labelled.labelled(connection)]


def half_copied(connection: libvirt.virConnect) -> bool:
    return "pool" in kinds(connection) and any(path.name == "base.qcow2" for path in IMAGES.glob("viplab-*/*/*"))


def running(connection: libvirt.virConnect) -> list[libvirt.virDomain]:
    return [one for one in connection.listAllDomains() if one.name().startswith("viplab-")]


MOMENTS: dict[str, Callable[[libvirt.virConnect], object]] = {
    "with the first network": lambda there: "network" in kinds(there),
    "with the pool": lambda there: "pool" in kinds(there),
    "while the image is copied": half_copied,
    "with the first guest": lambda there: "domain" in kinds(there),
    "while the guests boot": lambda there: len(running(there)) == 2,
}


def run() -> subprocess.Popen[str]:
    command = viplab("run", "case-a", "--connect", URI, "--timeout-factor", "4")
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def clean(*options: str) -> list[str]:
    done = subprocess.run(viplab("clean", "--connect", URI, *options), capture_output=True, text=True, check=True)
    # What is in the cache, and may go as well, is named by its path.
    return [line for line in done.stdout.splitlines() if not line.split()[-1].startswith("/")]


def to_remove() -> list[str]:
    """What `viplab clean` would remove."""
    return [what for what, why_kept in labelled.clean(URI, dry_run=True) if why_kept is None]


def killed_at(moment: Callable[[libvirt.virConnect], object], connection: libvirt.virConnect) -> None:
    """Start a run and kill it when its moment has come."""
    started = run()
    while not moment(connection):
        if started.poll() is not None:
            _, said = started.communicate()
            raise AssertionError(f"the run never came to that moment; it said: {said}")
        time.sleep(0.002)
    assert not to_remove(), "it is up"
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()


def test_kill_9_leaves_what_clean_finds_by_its_label_and_theirs_is_the_same() -> None:
    def check(connection: libvirt.virConnect) -> None:
        before = picture(connection)
        for name, moment in MOMENTS.items():
            killed_at(moment, connection)
            left = kinds(connection)
            assert left, f"{name}: nothing was left, so nothing was shown"
            found = to_remove()
            assert len(found) == len(left)
            assert kinds(connection) == left, "a dry run removes nothing"
            assert clean() == [f"removed {what}" for what in found]
            assert picture(connection) == before, name

    beside_others(check)


def test_the_next_run_removes_what_a_killed_one_left_and_two_at_once_there_are_none() -> None:
    def check(connection: libvirt.virConnect) -> None:
        before = picture(connection)
        killed_at(MOMENTS["with the first guest"], connection)
        dead = {one.label for one in labelled.labelled(connection)}
        second = run()
        assert second.stderr is not None
        for line in second.stderr:
            if "Boot A and B" in line:
                break
        living = {one.label for one in labelled.labelled(connection)}
        assert len(living) == 1
        assert not living & dead
        third = run()
        _, said = third.communicate()
        assert third.returncode == 69
        assert "already, with a lab's addresses: its lab is up" in said
        assert said.count("viplab: ") == 1
        second.send_signal(signal.SIGINT)
        second.communicate()
        assert second.returncode == 130
        assert picture(connection) == before

    beside_others(check)


def test_what_only_looks_like_ours_is_theirs() -> None:
    def check(connection: libvirt.virConnect) -> None:
        with subprocess.Popen(["true"]) as ended:
            owner = this_process()
        label = new_label(type(owner)(ended.pid, owner.born, owner.boot, owner.namespace))
        clone = DOMAIN.format(name="my-clone", metadata=label.metadata, network="theirs")
        connection.defineXML(clone)
        connection.networkDefineXML(NETWORK.format(name="viplab-12345678-public", bridge="virbr7"))
        before = picture(connection)
        assert clean("--dry-run") == clean() == []
        assert picture(connection) == before

    beside_others(check)


def test_a_pool_that_is_full_is_one_line_and_nothing_half_made_is_left() -> None:
    def check(connection: libvirt.virConnect) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=711", "tmpfs", str(IMAGES)], check=True)
        before = picture(connection)
        done = subprocess.run(viplab("run", "case-a", "--connect", URI), capture_output=True, text=True, check=False)
        assert done.returncode == 69
        (said,) = [line for line in done.stderr.splitlines() if line.startswith("viplab: ")]
        assert "pool at /var/lib/libvirt/images: 2" in said
        assert "MiB free, and the guests take" in said
        assert picture(connection) == before

    beside_others(check)
