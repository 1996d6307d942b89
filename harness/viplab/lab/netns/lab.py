"""A second lab: hosts that are namespace trees in the sandbox, for hundreds of trials and no image.

Each host has network, mounts, processes, hostname and IPC of its own; its cards are veth pairs whose other ends hang on
the same bridges, with the same addresses, as those of real guests. Its file system is the machine's, with an overlay in
memory where daemons write; of the machine itself nothing is changed.

What differs from a guest: one kernel and one clock for all, no emulation, and `ifconfig eth1 down` also takes the
carrier from the bridge's port, as pulling the cable of a physical card does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from viplab.lab import kernel
from viplab.lab.bridges import bypass_netfilter
from viplab.lab.command import run
from viplab.lab.guest import Guest
from viplab.lab.lab import Fact, LabKind, Origins, on_each
from viplab.lab.netns.guest import WORK, NetnsGuest
from viplab.lab.topology import BY_NAME, NETWORKS, Network, make_host
from viplab.types import HostName


class NetnsLab:
    """Bridges in the sandbox's network, and hosts on them."""

    accelerator = None
    networks = BY_NAME

    def __init__(self, kind: LabKind, hosts: Collection[HostName]) -> None:
        self.kind = kind
        self._all = {name: NetnsGuest(make_host(name)) for name in sorted(hosts)}
        self._there: dict[HostName, NetnsGuest] = {}

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """The hosts that are there."""
        return dict(self._there)

    @property
    def origins(self) -> Origins:
        """The machine's own packages; none where there is no dpkg."""
        packages = {}
        if shutil.which("dpkg-query") is not None:
            lines = run(["dpkg-query", "-W", "-f=${Package}\t${Version}\n"]).splitlines()
            packages = dict(line.split("\t") for line in lines)
        return Origins(qemu=None, libvirt=None, image=None, packages=packages)

    def describe(self) -> dict[str, Fact]:
        """The bridges as the kernel shows them; and that there are no images here that could be cloned."""
        there = [n for n in NETWORKS if Path(f"/sys/class/net/{n.bridge}/bridge").is_dir()]
        names = ", ".join(sorted(f"{n.name} on {n.bridge}" for n in there))
        networks = f"{names} (bridges of a network namespace, made without libvirt)"
        hosts = f"{' and '.join(self._there)} are namespace trees over the machine's own file system: "
        return {
            "networks": (len(there) == len(NETWORKS), networks),
            "clone": (None, hosts + "there is no image to clone"),
        }

    def up(self) -> None:
        """Make mounts and bridges; the hosts come with `reset`."""
        WORK.mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", str(WORK), "tmpfs", data="mode=755")
        # The new network namespace's own devices.
        kernel.mount("sysfs", "/sys", "sysfs")
        bypass_netfilter()
        for path in Path("/proc/sys/net/ipv6/conf").glob("*/disable_ipv6"):
            path.write_text("1\n")
        run(["ip", "-batch", "-"], stdin="link set lo up\n" + "".join(_bridge(network) for network in NETWORKS))

    def reset(
        self,
        name: str = "",
        prepare: Callable[[Guest], None] | None = None,
        hosts: Collection[HostName] | None = None,
    ) -> None:
        """These hosts anew, and prepared; nothing is remembered, for it takes a tenth of a second."""
        self.down()
        self._there = {host: guest for host, guest in self._all.items() if hosts is None or host in hosts}
        for guest in self._there.values():
            guest.up()
        if prepare is not None:
            on_each(self, prepare)

    def revert(self, name: str, make: Callable[[Path], None], hosts: Collection[HostName]) -> None:
        """Nothing is done: namespaces have no memory that could be saved."""

    def down(self) -> None:
        """End the hosts; the bridges go with the sandbox."""
        for guest in self._there.values():
            guest.down()


def _bridge(network: Network) -> str:
    text = f"link add {network.bridge} address {network.mac} type bridge stp_state 0 forward_delay 0\n"
    text += f"link set {network.bridge} up\n"
    return text + (f"address add {network.host_ip} broadcast + dev {network.bridge}\n" if network.host_ip else "")
