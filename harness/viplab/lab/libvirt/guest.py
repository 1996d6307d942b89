"""A host that is a virtual machine: a libvirt domain, the SSH connection to it, and its saved memory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import jinja2
import libvirt

from viplab.errors import LabError
from viplab.lab.cache import cache_dir
from viplab.lab.command import run
from viplab.lab.guest import Armed, Dialogue, Result, Timing
from viplab.lab.image import Image
from viplab.lab.libvirt import cloud_guest
from viplab.lab.libvirt.accelerator import Accelerator
from viplab.lab.libvirt.label import Label
from viplab.lab.libvirt.ssh import CONNECT_LIMIT_S, Connection
from viplab.lab.run_delay import run_delay_ns
from viplab.lab.seed import Seed, of_host
from viplab.lab.topology import Host, Network
from viplab.lab.waiting import limit_s, until
from viplab.types import NetworkName

# What is read from disk before the memory is saved need not be read in every trial: shell tools and a Python.
WARM_UP = "python3 -I -S -c 'import argparse, ctypes, json, selectors, socket, zipimport'; ip address >/dev/null; sync"
BOOT_LIMIT_S: dict[Accelerator, float] = {"kvm": 60.0, "qemu": 240.0}
CLOUD_BOOT_LIMIT_S: dict[Accelerator, float] = {"kvm": 180.0, "qemu": 1800.0}
"""Of an image with services of its own, cloud-init among them."""
BOOTING_ANSWERS_WITHIN_S = 120.0
"""How long the SSH server of a guest may take to answer while the guest is busy booting."""
TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("viplab.lab.libvirt"), autoescape=True, undefined=jinja2.StrictUndefined
)
_EMULATORS = Path("/run/libvirt/qemu")
_MEMORY, _DISK, _CONSOLE, _SEED = "memory.save", "disk.qcow2", "console.log", "seed.iso"


@dataclass(frozen=True)
class Ground:
    """What all guests of a lab stand on."""

    connection: libvirt.virConnect
    image: Image
    accelerator: Accelerator
    work: Path
    """Folder for their disks and consoles."""
    memory: Path
    """Folder for their saved memory."""
    files: Image
    """The image where qemu may read it."""
    networks: Mapping[NetworkName, Network]
    """The lab's networks, with the bridges that libvirt made of them."""
    sources: Mapping[NetworkName, str]
    """What libvirt calls them."""
    label: Label | None = None
    """What tells the guests from others of that libvirt, where there may be others."""


class LibvirtGuest:
    """A domain and the SSH connection to it."""

    shutdown_command = "systemctl poweroff --no-block"

    def __init__(self, ground: Ground, host: Host) -> None:
        self._ground = ground
        self._ssh: Connection | None = None
        self._coming, self._given_up = Lock(), False
        self.host = host

    @property
    def running(self) -> bool:
        """Whether the domain is powered on."""
        try:
            return bool(self._domain().isActive())
        except libvirt.libvirtError:
            return False

    @property
    def shell(self) -> list[str]:
        """The ssh client, which knows the guest's host key and the lab's own."""
        image, address = self._ground.image, self.host.interface("eth2").address
        known = f'KnownHostsCommand=/bin/echo "{address} {image.ssh_host_key}"'
        options = (known, "UserKnownHostsFile=none", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes")
        words = [word for option in options for word in ("-o", option)]
        return ["ssh", *words, "-i", str(image.ssh_key), f"root@{address}"]

    @property
    def domain(self) -> str:
        """What libvirt calls it."""
        label = self._ground.label
        return label.name(self.host.hostname) if label else self.host.hostname

    @property
    def disk(self) -> Path:
        """The overlay that the guest writes to."""
        return self._ground.work / f"{self.host.name}.qcow2"

    def seed(self) -> Seed | None:
        """What cloud-init is told; None of a guest that learns it from its kernel's command line."""
        image = self._ground.image
        if not image.boots_itself:
            return None
        return of_host(self.host, image.name, image.public_key, image.host_key_pair)

    def domain_xml(self) -> str:
        """The domain as libvirt is told of it."""
        addresses = " ".join(f"viplab.{card.name}={card.ip}" for card in self.host.interfaces)
        base = self._ground.image.manifest.get("kernel_command_line")
        return TEMPLATES.get_template("domain.xml.j2").render(
            accel=self._ground.accelerator,
            name=self.domain,
            label=self._ground.label,
            sources=self._ground.sources,
            host=self.host,
            image=self._ground.files,
            boots_itself=self._ground.image.boots_itself,
            memory_mib=self._ground.image.memory_mib,
            disk=self.disk,
            seed=self._seed_disk,
            console=self._console_log,
            command_line=f"{base} systemd.hostname={self.host.hostname} {addresses}",
        )

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        """Run a shell command to its end."""
        return self._connected().run(command, timeout_s=limit_s(timeout_s))

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
        return self._console_log.read_bytes() if self._console_log.exists() else b""

    def run_delay_ns(self) -> int:
        """For how long the emulator's threads waited for a processor, in ns."""
        with suppress(OSError):
            return run_delay_ns([int((_EMULATORS / f"{self.host.hostname}.pid").read_text())])
        return 0

    def power_cut(self) -> Timing:
        """Kill the emulator: libvirt's own `destroy` asks it first, and takes a tenth of a second over that."""
        pid = int((_EMULATORS / f"{self.host.hostname}.pid").read_text())
        before_ns = time.time_ns()
        os.kill(pid, signal.SIGKILL)
        after_ns = time.time_ns()
        until("libvirt to see that the guest is gone", lambda: not self.running, within_s=10, every_s=0.01)
        return Timing(before_ns, after_ns, 0)

    def set_carrier(self, interface: str, *, present: bool) -> Timing:
        """Set the card's link state; its port of the bridge stays up."""
        card = TEMPLATES.get_template("interface.xml.j2").render(
            host=self.host,
            card=self.host.interface(interface),
            sources=self._ground.sources,
            link="up" if present else "down",
        )
        before_ns = time.time_ns()
        try:
            self._domain().updateDeviceFlags(card, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except libvirt.libvirtError as error:
            raise LabError(
                f"{self.host.hostname}: no link state for {interface} ({error.get_error_message()})"
            ) from None
        return Timing(before_ns, time.time_ns(), 0)

    def pause(self) -> Timing:
        """Stop its processors, as `virsh suspend` does."""
        return self._timed(lambda domain: domain.suspend())

    def resume(self) -> Timing:
        """Let them go on, as `virsh resume` does."""
        return self._timed(lambda domain: domain.resume())

    def _timed(self, act: Callable[[libvirt.virDomain], object]) -> Timing:
        domain = self._domain()
        before_ns = time.time_ns()
        try:
            act(domain)
        except libvirt.libvirtError as error:
            raise LabError(f"{self.host.hostname}: {error.get_error_message()}") from None
        return Timing(before_ns, time.time_ns(), 0)

    def boot(self) -> float:
        """Start it from its image and warm it up, so that it can be saved; return for how many seconds it booted."""
        started = time.monotonic()
        _overlay(self.disk, self._ground.files.disk)
        seed = self.seed()
        if seed is not None:
            seed.write(self._seed_disk)
        try:
            self._bring_up(lambda: self._ground.connection.createXML(self.domain_xml()))
        except libvirt.libvirtError as error:
            raise LabError(f"{self.host.hostname} does not start: {error.get_error_message()}") from None
        self._connect(BOOTING_ANSWERS_WITHIN_S)
        if seed is not None:
            cloud_guest.prepare(self, self._boot_limit_s)
        # Until nothing is starting any more: whatever is saved unfinished would go on in every trial.
        self.run("systemctl is-system-running --wait", timeout_s=self._boot_limit_s)
        booted_s = time.monotonic() - started
        self.run(WARM_UP, timeout_s=self._boot_limit_s).checked()
        return booted_s

    def hang_up(self) -> None:
        """Close the SSH connection, if there is one."""
        if self._ssh is not None:
            self._ssh.close()
            self._ssh = None

    def save(self, folder: Path) -> None:
        """Put memory, disk and console into a folder; the guest is off then."""
        self.hang_up()
        self._domain().save(str(folder / _MEMORY))
        shutil.copyfile(self.disk, folder / _DISK)
        shutil.copyfile(self._console_log, folder / _CONSOLE)
        if self._seed_disk.exists():
            shutil.copyfile(self._seed_disk, folder / _SEED)

    def restore(self, folder: Path) -> None:
        """Go on from where it was saved, at the right time of day."""
        self.load(folder)
        self.resume()
        self.settle()

    def load(self, folder: Path) -> None:
        """Be where it was saved, and stand still there."""
        _overlay(self.disk, folder / _DISK)
        shutil.copyfile(folder / _CONSOLE, self._console_log)
        if (folder / _SEED).exists():
            shutil.copyfile(folder / _SEED, self._seed_disk)
        try:
            saved = str(folder / _MEMORY)
            self._bring_up(lambda: self._ground.connection.restoreFlags(saved, None, libvirt.VIR_DOMAIN_SAVE_PAUSED))
        except libvirt.libvirtError as error:
            raise LabError(
                f"{self.host.hostname}: saved memory cannot be restored ({error.get_error_message()}); "
                f"`viplab image rm {self._ground.image.name}` clears it"
            ) from None

    def _bring_up(self, call: Callable[[], object]) -> None:
        with self._coming:
            if self._given_up:
                raise LabError(f"{self.host.hostname} is given up")
            call()

    def settle(self) -> None:
        """Reach it once it goes on, and set its clock: saved memory lives in the past."""
        self._connect()
        now_ns = time.time_ns()
        self.run(f"date -u -s @{now_ns // 10**9}.{now_ns % 10**9:09d} >/dev/null").checked()

    def discard(self) -> None:
        """Take the domain down, if it is up, and hang up."""
        self.hang_up()
        if self.running:
            self._domain().destroy()

    def give_up(self) -> None:
        """Take it down for good: whoever waits for it to come up need not wait any longer."""
        # What libvirt has begun to bring up it brings up, and would after we had gone.
        with self._coming:
            self._given_up = True
        self.discard()

    def origin(self) -> str:
        """The image at the bottom of its disk's chain of overlays."""
        chain = json.loads(run(["qemu-img", "info", "-U", "--backing-chain", "--output=json", self.disk]))
        return Path(chain[-1]["filename"]).parent.name

    def _domain(self) -> libvirt.virDomain:
        return self._ground.connection.lookupByName(self.domain)

    @property
    def _console_log(self) -> Path:
        return self._ground.work / f"{self.host.name}-console.log"

    @property
    def _seed_disk(self) -> Path:
        return self._ground.work / f"{self.host.name}-seed.iso"

    @property
    def _boot_limit_s(self) -> float:
        limits = CLOUD_BOOT_LIMIT_S if self._ground.image.boots_itself else BOOT_LIMIT_S
        return limits[self._ground.accelerator]

    def _connect(self, answers_within_s: float = CONNECT_LIMIT_S) -> None:
        """Open the SSH connection, waiting for a guest that is still coming up."""

        def attempt() -> Connection | None:
            if self._given_up or not self.running:
                raise LabError(f"{self.host.hostname} is gone{self._console_tail()}")
            if self._ground.image.boots_itself:
                cloud_guest.check_console(self.console(), self._ground.image.name)
            try:
                return Connection(self.host.interface("eth2").address, self._ground.image, answers_within_s)
            except LabError:
                return None

        try:
            self._ssh = until(f"SSH on {self.host.hostname}", attempt, within_s=self._boot_limit_s, every_s=0.25)
        except LabError as error:
            raise LabError(f"{error}{self._console_tail()}") from None

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


def _overlay(path: Path, backing: Path) -> None:
    path.unlink(missing_ok=True)
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", backing, path])
