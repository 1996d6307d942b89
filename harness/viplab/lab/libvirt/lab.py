"""The bench on real guests: networks and domains through libvirt, host A and its clones, all from saved memory.

The first time ever, a host boots; then it is saved with its memory, and the cache keeps that. Every later lab, and
every trial, starts from there in about a second. Each host's memory is kept by itself, so that a third host costs one
boot more and no more of the other two. What hosts have come to together, such as a pair of daemons that is steady, is
saved of all of them at one moment; of such moments the cache keeps the last few.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import libvirt

from viplab.errors import Interrupted, LabError
from viplab.lab.cache import keep_last, make_once, throw_away
from viplab.lab.guest import Guest
from viplab.lab.lab import Fact, LabKind, Origins
from viplab.lab.libvirt import cloud_guest
from viplab.lab.libvirt.guest import WARM_UP, Ground, LibvirtGuest
from viplab.lab.topology import NETWORKS, Host, make_host
from viplab.progress import step
from viplab.types import HostName

_BOOT, _PACKAGES = "boot_s", "packages.tsv"
_MOMENTS = 8
"""Moments of several hosts that the cache keeps, some 160 MiB a host; of more, those used last."""
_ROOM_MIB = 2048
"""What has to be free on the cache's disk beyond the hosts' memory before a moment is saved."""


class LibvirtLab:
    """Networks, guests and memory on one libvirt connection."""

    def __init__(
        self,
        kind: LabKind,
        ground: Ground,
        hosts: Collection[HostName],
        guest: Callable[[Ground, Host], LibvirtGuest] = LibvirtGuest,
    ) -> None:
        self.kind = kind
        self.accelerator = ground.accelerator
        self.networks = ground.networks
        self._ground = ground
        self._all = {name: guest(ground, make_host(name)) for name in sorted(hosts)}
        self._there: dict[HostName, LibvirtGuest] = {}
        self._prepared: set[Path] = set()

    @property
    def hosts(self) -> dict[HostName, Guest]:
        """The guests that are up, or were until a fault took them down."""
        return dict(self._there)

    @property
    def origins(self) -> Origins:
        """What libvirt says of itself and of qemu, and what the image was made of."""
        return Origins(
            qemu=_dotted(self._ground.connection.getVersion()),
            libvirt=_dotted(self._ground.connection.getLibVersion()),
            image=self._ground.image.name,
            packages=self._packages(),
            boot_s=max(filter(None, (_boot_s(self._memory(guest)) for guest in self._all.values())), default=None),
        )

    def describe(self) -> dict[str, Fact]:
        """Networks as libvirt lists them, and the disk that all hosts were cloned from as qemu-img reads them."""
        there = {n.name(): n.bridgeName() for n in self._ground.connection.listAllNetworks() if n.isActive()}
        active = {name: there[source] for name, source in self._ground.sources.items() if source in there}
        origins = sorted({guest.origin() for guest in self._there.values()})
        same = len(origins) == 1
        of = f"overlays of {'the same image' if same else 'different images'} ({', '.join(origins)})"
        return {
            "networks": (
                active.keys() == self._ground.sources.keys(),
                ", ".join(f"{name} on {bridge}" for name, bridge in sorted(active.items())),
            ),
            "clone": (same, f"{' and '.join(self._there)} are {of}"),
        }

    def up(self) -> None:
        """See to it that there is saved memory; the guests come with `reset`.

        Raises:
            LabError: a guest does not boot.
        """
        new = {name: guest for name, guest in self._all.items() if not self._memory(guest).exists()}
        if new:
            with step(f"Boot {' and '.join(new)}, once, and save their memory"):
                _each(new.values(), lambda guest: make_once(self._memory(guest), lambda folder: _boot(guest, folder)))

    def reset(
        self,
        name: str = "",
        prepare: Callable[[Guest], None] | None = None,
        hosts: Collection[HostName] | None = None,
    ) -> None:
        """Put these guests back to the moment at which their memory was saved, and prepare them.

        What is prepared a second time under one name is saved with its memory, in memory, for as long as the lab lives.
        """
        self.down()
        self._there = {host: guest for host, guest in self._all.items() if hosts is None or host in hosts}
        _each(self._there.values(), lambda guest: self._fresh(guest, name, prepare))

    def revert(self, name: str, make: Callable[[Path], None], hosts: Collection[HostName]) -> Path | None:
        """Put these guests back to a moment that the cache keeps under that name, made on the way where it has none."""
        there = {host: guest for host, guest in self._all.items() if host in hosts}
        said = repr((name, [self._memory(guest).name for guest in there.values()]))
        root, prefix = self._ground.memory, f"{self._ground.image.name}-moment-"
        kept = root / f"{prefix}{hashlib.sha256(said.encode()).hexdigest()[:12]}"
        if (
            not kept.is_dir()
            and shutil.disk_usage(root).free >> 20 < len(there) * self._ground.image.memory_mib + _ROOM_MIB
        ):
            return None
        make_once(kept, lambda folder: self._save(folder, make))
        os.utime(kept)
        keep_last(root.glob(f"{prefix}*"), _MOMENTS)
        self.down()
        self._there = there
        try:
            _each(there.values(), lambda guest: guest.load(kept / guest.host.name))
            for guest in there.values():
                guest.resume()
            _each(there.values(), lambda guest: guest.settle())
        except (LabError, FileNotFoundError) as error:
            throw_away(kept, error)
            raise LabError(f"{kept.name} cannot be restored") from None
        return kept

    def down(self) -> None:
        """Take the guests down; networks go with the sandbox."""
        _each(self._there.values(), LibvirtGuest.discard)

    def _fresh(self, guest: LibvirtGuest, name: str, prepare: Callable[[Guest], None] | None) -> None:
        kept = self._ground.work / f"prepared-{name}-{guest.host.name}"
        if kept.is_dir():
            guest.restore(kept)
            return
        guest.restore(self._memory(guest))
        if prepare is None:
            return
        prepare(guest)
        # Every guest that is there may be about to be kept.
        if kept in self._prepared and _free_memory_mib() > (len(self._there) + 1) * self._ground.image.memory_mib:
            kept.mkdir()
            guest.save(kept)
            guest.restore(kept)
        self._prepared.add(kept)

    def _save(self, folder: Path, make: Callable[[Path], None]) -> None:
        make(folder)
        guests = list(self._there.values())
        try:
            for guest in guests:
                (folder / guest.host.name).mkdir(exist_ok=True)
                guest.hang_up()
            # They go on in the order in which they stop here, so that none misses more of the others than they of it.
            for guest in guests:
                guest.pause()
            _each(guests, lambda guest: guest.save(folder / guest.host.name))
        except (OSError, libvirt.libvirtError) as error:
            raise LabError(f"{' and '.join(self._there)} cannot be saved: {error}") from None

    def _packages(self) -> dict[str, str]:
        """Of an image that the bench did not make itself, what a guest said that it has."""
        listed = next((self._memory(guest) / _PACKAGES for guest in self._all.values()), None)
        if listed is not None and listed.is_file():
            return cloud_guest.read_packages(listed.read_text(encoding="utf-8"))
        packages: dict[str, str] = self._ground.image.manifest["packages"]
        return packages

    def _memory(self, guest: LibvirtGuest) -> Path:
        connection, seed = self._ground.connection, guest.seed()
        said = WARM_UP + guest.domain_xml() + repr(NETWORKS) + f"{connection.getVersion()} {connection.getLibVersion()}"
        said += repr(seed.files) if seed is not None else ""
        digest = hashlib.sha256(said.encode()).hexdigest()[:12]
        return self._ground.memory / f"{self._ground.image.name}-{guest.host.name}-{digest}"


def _boot(guest: LibvirtGuest, folder: Path) -> None:
    (folder / _BOOT).write_text(f"{guest.boot():.1f}\n")
    if guest.seed() is not None:
        (folder / _PACKAGES).write_text(cloud_guest.packages(guest), encoding="utf-8")
    guest.save(folder)


def _boot_s(folder: Path) -> float | None:
    """How long that took, in seconds; None of memory that was saved before November 2026."""
    try:
        return float((folder / _BOOT).read_text())
    except (OSError, ValueError):
        return None


def _each(guests: Iterable[LibvirtGuest], action: Callable[[LibvirtGuest], object]) -> None:
    """Do something to these guests at once; a failure is raised when all have ended, an interruption at once."""
    found, waits = list(guests), True
    pool = ThreadPoolExecutor(max(1, len(found)))
    try:
        list(pool.map(action, found))
    except Interrupted:
        # A guest may take half an hour to boot: who waits for it ends with the lab.
        waits = False
        for guest in found:
            guest.give_up()
        raise
    finally:
        pool.shutdown(wait=waits, cancel_futures=True)


def _free_memory_mib() -> int:
    """What the kernel takes for available, in MiB."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(fields["MemAvailable"].split()[0]) // 1024


def _dotted(version: int) -> str:
    """libvirt's way to write 9.0.0 is 9000000."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
