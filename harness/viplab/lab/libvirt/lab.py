"""The bench on real guests: networks and domains through libvirt, host A and its clone B, and both from saved memory.

The first time, both guests boot; then they are saved with their memory, and the cache keeps that. Every later lab, and
every trial, starts from there in about a second.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import jinja2
import libvirt

from viplab.errors import LabError
from viplab.lab.cache import cache_dir, make_once
from viplab.lab.command import run
from viplab.lab.guest import Armed, Dialogue, Guest, Result, Timing
from viplab.lab.image import Image
from viplab.lab.lab import Fact, Origins
from viplab.lab.libvirt.accelerator import Accelerator
from viplab.lab.libvirt.ssh import Connection
from viplab.lab.topology import HOSTS, NETWORKS, Host, Network
from viplab.lab.waiting import until
from viplab.progress import step
from viplab.types import HostName

MEMORY_MIB = 512
ROOM_MIB = 3 * MEMORY_MIB
"""What has to be free before prepared guests are kept in memory."""
# What is read from disk before the memory is saved need not be read in every trial: shell tools and a Python.
WARM_UP = "python3 -I -S -c 'import argparse, ctypes, json, selectors, socket, zipimport'; ip address >/dev/null; sync"
_EMULATORS = Path("/run/libvirt/qemu")
BOOT_LIMIT_S: dict[Accelerator, float] = {"kvm": 60.0, "qemu": 240.0}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("viplab.lab.libvirt"), autoescape=True, undefined=jinja2.StrictUndefined
)


class LibvirtGuest:
    """A domain and the SSH connection to it."""

    shutdown_command = "systemctl poweroff --no-block"

    def __init__(self, lab: LibvirtLab, host: Host) -> None:
        self._lab = lab
        self._ssh: Connection | None = None
        self.host = host

    @property
    def running(self) -> bool:
        """Whether the domain is powered on."""
        try:
            return bool(self._lab.connection.lookupByName(self.host.hostname).isActive())
        except libvirt.libvirtError:
            return False

    @property
    def disk(self) -> Path:
        """The overlay that the guest writes to."""
        return self._lab.work / f"{self.host.name}.qcow2"

    @property
    def console_log(self) -> Path:
        """What the serial console says."""
        return self._lab.work / f"{self.host.name}-console.log"

    def domain_xml(self) -> str:
        """The domain as libvirt is told of it."""
        addresses = " ".join(f"viplab.{card.name}={card.ip}" for card in self.host.interfaces)
        base = self._lab.image.manifest["kernel_command_line"]
        return _TEMPLATES.get_template("domain.xml.j2").render(
            accel=self._lab.accelerator,
            host=self.host,
            image=self._lab.image,
            memory_mib=MEMORY_MIB,
            disk=self.disk,
            console=self.console_log,
            command_line=f"{base} systemd.hostname={self.host.hostname} {addresses}",
        )

    def connect(self) -> None:
        """Open the SSH connection, waiting for a guest that is still coming up."""
        limit_s = BOOT_LIMIT_S[self._lab.accelerator]

        def attempt() -> Connection | None:
            if not self.running:
                raise LabError(f"{self.host.hostname} is gone{self._console_tail()}")
            try:
                return Connection(self.host.interface("eth2").address, self._lab.image)
            except LabError:
                return None

        try:
            self._ssh = until(f"SSH on {self.host.hostname}", attempt, within_s=limit_s, every_s=0.25)
        except LabError as error:
            raise LabError(f"{error}{self._console_tail()}") from None

    def disconnect(self) -> None:
        """Hang up, if there is a connection."""
        if self._ssh is not None:
            self._ssh.close()
            self._ssh = None

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        """Run a shell command to its end."""
        return self._connected().run(command, timeout_s=timeout_s)

    def arm(self, command: str, marker: str) -> Armed:
        """Prepare a command that, when fired, first sends the marker and then acts."""
        return self._connected().arm(command, marker)

    def converse(self, command: str) -> Dialogue:
        """Start a command that answers each line with a line."""
        return self._connected().converse(command)

    def put(self, content: bytes, path: str, mode: int = 0o644) -> None:
        """Write a file."""
        self._connected().put(content, path, mode)

    def get(self, path: str) -> bytes:
        """Read a file; empty where it does not exist."""
        return self._connected().get(path)

    def console(self) -> bytes:
        """What the serial console has said."""
        return self.console_log.read_bytes() if self.console_log.exists() else b""

    def power_cut(self) -> Timing:
        """Kill the emulator: libvirt's own `destroy` asks it first, and takes a tenth of a second over that."""
        pid = int((_EMULATORS / f"{self.host.hostname}.pid").read_text())
        before_ns = time.time_ns()
        os.kill(pid, signal.SIGKILL)
        after_ns = time.time_ns()
        until("libvirt to see that the guest is gone", lambda: not self.running, within_s=10, every_s=0.01)
        return Timing(before_ns, after_ns, 0)

    def discard(self) -> None:
        """Take the domain down, if it is up, and hang up."""
        self.disconnect()
        if self.running:
            self._lab.connection.lookupByName(self.host.hostname).destroy()

    def set_clock(self) -> None:
        """Set the guest's wall clock to the host's: a guest from saved memory lives in the past."""
        now_ns = time.time_ns()
        self.run(f"date -u -s @{now_ns // 10**9}.{now_ns % 10**9:09d} >/dev/null").checked()

    def _connected(self) -> Connection:
        if self._ssh is None:
            raise LabError(f"{self.host.hostname} is not up; `viplab up` first")
        return self._ssh

    def _console_tail(self) -> str:
        kept = cache_dir() / f"{self.host.hostname}-console.log"
        kept.write_bytes(self.console())
        lines = self.console().decode("utf-8", "replace").strip().splitlines()[-3:]
        said = f"its console ends with: {' / '.join(lines)}" if lines else "its console said nothing"
        return f"; {said} (kept as {kept})"


class LibvirtLab:
    """Networks, guests and memory on one libvirt connection."""

    def __init__(self, connection: libvirt.virConnect, image: Image, accel: Accelerator, work: Path) -> None:
        self.connection = connection
        self.image = image
        self.accelerator = accel
        self.work = work
        self.guests = {name: LibvirtGuest(self, host) for name, host in HOSTS.items()}
        self._prepared: set[str] = set()

    @property
    def kind(self) -> Literal["libvirt"]:
        """Virtual machines under libvirt."""
        return "libvirt"

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """A and B."""
        return dict(self.guests)

    @property
    def origins(self) -> Origins:
        """What libvirt says of itself and of qemu, and what the image was made of."""
        return Origins(
            qemu=_dotted(self.connection.getVersion()),
            libvirt=_dotted(self.connection.getLibVersion()),
            image=self.image.name,
            packages=self.image.manifest["packages"],
        )

    def describe(self) -> dict[str, Fact]:
        """Networks as libvirt lists them, and the disks that B and A were cloned from as qemu-img reads them."""
        active = {n.name(): n.bridgeName() for n in self.connection.listAllNetworks() if n.isActive()}
        origins = sorted({_origin(guest.disk) for guest in self.guests.values()})
        same = len(origins) == 1
        said = f"A and B are overlays of {'the same image' if same else 'different images'} ({', '.join(origins)})"
        return {
            "networks": (
                active.keys() >= {network.name for network in NETWORKS},
                ", ".join(f"{name} on {bridge}" for name, bridge in sorted(active.items())),
            ),
            "clone": (same, said),
        }

    def up(self) -> None:
        """Bring the networks up, and see to it that there is saved memory; the guests come with `reset`.

        Raises:
            LabError: a network is not as defined, or a guest does not boot.
        """
        for network in NETWORKS:
            self._start_network(network)
        memory = self._memory()
        if not memory.exists():
            with step("Boot both guests, once, and save their memory"):
                make_once(memory, self._boot_and_save)

    def reset(self, name: str = "", prepare: Callable[[Guest], None] | None = None) -> None:
        """Put both guests back to the moment at which their memory was saved, with the right time of day, and prepare.

        What is prepared a second time under one name is saved with its memory, in memory, for as long as the lab lives.
        """
        self._discard()
        kept = self.work / f"prepared-{name}"
        if kept.is_dir():
            self._both(lambda guest: self._restore(guest, kept))
            return
        self._both(lambda guest: self._restore(guest, self._memory()))
        if prepare is None:
            return
        self._both(prepare)
        if name in self._prepared and _free_memory_mib() > ROOM_MIB:
            kept.mkdir()
            self._both(lambda guest: self._save(guest, kept))
            self._both(lambda guest: self._restore(guest, kept))
        self._prepared.add(name)

    def down(self) -> None:
        """Take the guests down; networks go with the sandbox."""
        self._discard()

    def _discard(self) -> None:
        def discard(guest: LibvirtGuest) -> None:
            guest.discard()

        self._both(discard)

    def _start_network(self, network: Network) -> None:
        xml = _TEMPLATES.get_template("network.xml.j2").render(network=network)
        try:
            self.connection.networkDefineXML(xml).create()
        except libvirt.libvirtError as error:
            raise LabError(f"network {network.name}: {error.get_error_message()}") from None
        bridge = Path("/sys/class/net") / network.bridge / "bridge"
        stp, delay = (int((bridge / name).read_text()) for name in ("stp_state", "forward_delay"))
        if stp or delay:
            # A port would wait up to twice the delay before it forwards, and that would be measured as failover time.
            raise LabError(f"bridge {network.bridge}: STP {stp}, forward delay {delay}, not 0 as defined")

    def _memory(self) -> Path:
        said = WARM_UP + "".join(guest.domain_xml() for guest in self.guests.values()) + repr(NETWORKS)
        said += f"{self.connection.getVersion()} {self.connection.getLibVersion()}"
        root = cache_dir() / "memory"
        root.mkdir(exist_ok=True)
        return root / f"{self.image.name}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"

    def _boot_and_save(self, folder: Path) -> None:
        def boot(guest: LibvirtGuest) -> None:
            _overlay(guest.disk, self.image.disk)
            self._create(guest)
            guest.connect()
            # Until nothing is starting any more: whatever is saved unfinished would go on in every trial.
            guest.run("systemctl is-system-running --wait", timeout_s=BOOT_LIMIT_S[self.accelerator])
            guest.run(WARM_UP).checked()

        self._both(boot)
        self._both(lambda guest: self._save(guest, folder))
        (folder / "manifest.json").write_text(json.dumps({"image": self.image.name, "accel": self.accelerator}) + "\n")

    def _save(self, guest: LibvirtGuest, folder: Path) -> None:
        guest.disconnect()
        self.connection.lookupByName(guest.host.hostname).save(str(folder / f"{guest.host.name}.save"))
        shutil.copyfile(guest.disk, folder / guest.disk.name)
        shutil.copyfile(guest.console_log, folder / guest.console_log.name)

    def _restore(self, guest: LibvirtGuest, memory: Path) -> None:
        _overlay(guest.disk, memory / guest.disk.name)
        shutil.copyfile(memory / guest.console_log.name, guest.console_log)
        try:
            self.connection.restore(str(memory / f"{guest.host.name}.save"))
        except libvirt.libvirtError as error:
            raise LabError(
                f"{guest.host.hostname}: saved memory cannot be restored ({error.get_error_message()}); "
                f"`viplab image rm {self.image.name}` clears it"
            ) from None
        guest.connect()
        guest.set_clock()

    def _create(self, guest: LibvirtGuest) -> None:
        try:
            self.connection.createXML(guest.domain_xml())
        except libvirt.libvirtError as error:
            raise LabError(f"{guest.host.hostname} does not start: {error.get_error_message()}") from None

    def _both(self, action: Callable[[LibvirtGuest], None]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(action, self.guests.values()))


def _free_memory_mib() -> int:
    """What the kernel takes for available, in MiB."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) // 1024


def _dotted(version: int) -> str:
    """libvirt's way to write 9.0.0 is 9000000."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"


def _origin(disk: Path) -> str:
    """The image at the bottom of an overlay's chain."""
    chain = json.loads(run(["qemu-img", "info", "-U", "--backing-chain", "--output=json", disk]))
    return Path(chain[-1]["filename"]).parent.name


def _overlay(path: Path, backing: Path) -> None:
    path.unlink(missing_ok=True)
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path])
