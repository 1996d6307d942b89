"""What `viplab doctor --connect` says of a libvirt: whether it lets us in, and what a lab will find there.

It is only looked at: nothing is made, changed or removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import libvirt

from viplab.doctor import CONNECT, Finding
from viplab.errors import HostError, LabError
from viplab.lab.libvirt import networks
from viplab.lab.libvirt.labelled import connected, labelled
from viplab.lab.libvirt.pool import place
from viplab.lab.libvirt.uri import check_uri

_LIBVIRT = "the machine's libvirt"
_HOSTS = "AB"
_ROOM_MIB = 3500
"""What a pair takes: 0.4 GB of an image, and of memory thrice 512 MiB a host."""


def examine(uri: str) -> list[Finding]:
    """Look at a libvirt as a run with `--connect` would; a run of two hosts.

    Raises:
        InputError: there can be no lab on that libvirt.
    """
    try:
        with connected(check_uri(uri)) as connection:
            return [*_findings(connection, uri)]
    except (HostError, LabError, libvirt.libvirtError) as error:
        remedy = "be root where its bridges are, with libvirtd started (Debian's libvirt-daemon-system brings it whole)"
        return [Finding(_LIBVIRT, False, str(error), remedy, CONNECT)]


def _findings(connection: libvirt.virConnect, uri: str) -> Iterator[Finding]:
    release, minor, patch = (connection.getLibVersion() // unit % 1000 for unit in (1_000_000, 1000, 1))
    yield Finding(_LIBVIRT, True, f"{uri}: {release}.{minor}.{patch}, and lets us in", "", CONNECT)
    yield _public(connection)
    yield from _spanning_tree(connection)
    yield _addresses(connection)
    yield _room(connection)
    yield _labs(connection)


def _public(connection: libvirt.virConnect) -> Finding:
    network = networks.theirs(connection)
    if network is None:
        said = "not up with 192.168.122.1/24: a run makes a public network of its own"
    else:
        said = f"up with {network.host_ip} on {network.bridge}: it is the public one, as it is"
    return Finding("its network default", True, said, "", CONNECT)


def _spanning_tree(connection: libvirt.virConnect) -> Iterator[Finding]:
    if (network := networks.theirs(connection)) is None:
        return
    stp, delay = networks.settings(network)
    said = f"{'on' if stp else 'off'}, forward delay {delay / 100:g} s"
    remedy = ""
    if stp or delay:
        said += ": a trial is undecided there, unless only daemons fail"
        remedy = "`virsh net-edit default` with stp='off' delay='0', then net-destroy and net-start"
    yield Finding(f"STP on {network.bridge}", not remedy, said, remedy, "other faults than of daemons")


def _addresses(connection: libvirt.virConnect) -> Finding:
    said = ", ".join(f"{address} is {whose}'s" for address, whose in networks.taken(connection, _HOSTS))
    remedy = "`virsh net-edit default`: let its range of DHCP begin behind .20" if said else ""
    return Finding("addresses of the hosts", not said, said or "given to nobody", remedy, CONNECT)


def _room(connection: libvirt.virConnect) -> Finding:
    folder = place(connection)
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free_mib = shutil.disk_usage(there).free >> 20
    ok = free_mib >= _ROOM_MIB
    remedy = "" if ok else "free some, or let libvirt's pool `default` be on a larger disk"
    return Finding(
        "room for disks", ok, f"{free_mib} MiB free at {folder}, {_ROOM_MIB} needed by a pair", remedy, CONNECT
    )


def _labs(connection: libvirt.virConnect) -> Finding:
    found = labelled(connection)
    if kept := next((one for one in found if one.why_kept is not None), None):
        said, remedy = f"{kept.what}: {kept.why_kept}", "one lab at a time: let that one end"
        return Finding("other labs", False, said, remedy, CONNECT)
    left = ", ".join(one.what for one in found)
    said = f"one has ended and left {left}: the next run removes it, or `viplab clean --connect`" if left else "none"
    return Finding("other labs", True, said, "", CONNECT)
