"""A libvirt with things on it that are others', in a sandbox, so that the machine's own is never met."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import libvirt

from viplab.lab.command import run
from viplab.lab.libvirt import private_libvirtd
from viplab.lab.sandbox import LAB, contained

T = TypeVar("T")
URI = "qemu+unix:///system?socket=/run/libvirt/libvirt-sock"
IMAGES = Path("/var/lib/libvirt/images")

# As libvirt's packages bring it, but for DHCP and DNS, which would take dnsmasq.
DEFAULT = """<network><name>default</name><forward mode='nat'/><bridge name='virbr0' stp='{stp}' delay='0'/>
<dns enable='no'/><ip address='192.168.122.1' netmask='255.255.255.0'/></network>"""
NETWORK = "<network><name>{name}</name><bridge name='{bridge}' stp='off' delay='0'/></network>"
DOMAIN = """<domain type='qemu'><name>{name}</name>{metadata}<memory unit='MiB'>64</memory>
<os><type arch='x86_64'>hvm</type></os><devices>
<interface type='network'><source network='{network}'/></interface></devices></domain>"""
POOL = "<pool type='dir'><name>theirs</name><target><path>/var/lib/libvirt/theirs</path></target></pool>"
VOLUME = "<volume><name>theirs.qcow2</name><capacity>1048576</capacity><target><format type='qcow2'/></target></volume>"


def beside_others(work: Callable[[libvirt.virConnect], T], *, stp: str = "on") -> T:
    """Do `work` where there is a libvirt at `URI`, whose qemu has an account of its own, with others' things on it."""

    def inside() -> T:
        account = private_libvirtd._QEMU_CONF.replace('"root"', '"libvirt-qemu"')
        private_libvirtd._QEMU_CONF = account
        connection = private_libvirtd.prepare()
        IMAGES.mkdir(mode=0o711)
        for xml in (DEFAULT.format(stp=stp), NETWORK.format(name="theirs", bridge="virbr1")):
            network = connection.networkDefineXML(xml)
            network.create()
        connection.networkDefineXML(NETWORK.format(name="theirs, down", bridge="virbr2"))
        connection.defineXML(DOMAIN.format(name="theirs", metadata="", network="theirs")).createWithFlags(
            libvirt.VIR_DOMAIN_START_PAUSED
        )
        connection.defineXML(DOMAIN.format(name="centOS-hostA", metadata="", network="default"))
        pool = connection.storagePoolDefineXML(POOL)
        pool.build()
        pool.create()
        pool.createXML(VOLUME)
        return work(connection)

    return contained(inside, LAB)


def picture(connection: libvirt.virConnect) -> dict[str, str]:
    """All that is there, as libvirt describes it."""
    things = [*connection.listAllDomains(), *connection.listAllNetworks(), *connection.listAllStoragePools()]
    seen = {f"{type(one).__name__} {one.name()}": f"{one.isActive()} {one.XMLDesc()}" for one in things}
    files = sorted(
        str(path) for path in Path("/var/lib/libvirt").rglob("*") if not {"qemu", "dnsmasq"} & set(path.parts)
    )
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    addresses = [line.split(maxsplit=2)[2:] for line in run(["ip", "-br", "-4", "address", "show"]).splitlines()]
    seen |= {"files": "\n".join(files), "links": f"{links} {addresses}"}
    # libvirt makes tables as well, and keeps them.
    tables = run(["nft", "list", "tables"]) if shutil.which("nft") else ""
    return seen | {"tables": "\n".join(line for line in tables.splitlines() if "viplab" in line)}


def viplab(*arguments: str) -> list[str]:
    """The command line of a `viplab` command."""
    return [sys.executable, "-m", "viplab", *arguments]


if __name__ == "__main__":

    def by_hand(connection: libvirt.virConnect) -> int:
        before = picture(connection)
        status = subprocess.run(sys.argv[2:], check=False).returncode
        after = picture(connection)
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                print(f"CHANGED {name}\n{before.get(name)}\n-->\n{after.get(name)}")
        return status

    sys.exit(beside_others(by_hand, stp=sys.argv[1]))
