"""What labs have made on a libvirt that others use too: found by its label alone, and removed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import libvirt

from viplab.errors import HostError, LabError
from viplab.lab.libvirt.label import Label, label_in, parse_label
from viplab.lab.libvirt.uri import check_uri
from viplab.lab.marks import marked

_GONE = (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_NO_STORAGE_POOL)


@dataclass(frozen=True)
class Labelled:
    """An object of a lab."""

    what: str
    label: Label
    _remove: Callable[[], object]

    @property
    def why_kept(self) -> str | None:
        """Why it is not to be removed; None where its lab has ended without doing so."""
        owner = self.label.owner
        reasons = {
            True: f"its lab is up (process {owner.pid})",
            None: f"process {owner.pid} of another PID namespace made it, perhaps a container's; clean up in there",
            False: None,
        }
        return reasons[owner.alive]

    def remove(self) -> None:
        """Remove it, unless it is gone meanwhile.

        Raises:
            LabError: libvirt does not let go of it.
        """
        try:
            self._remove()
        except libvirt.libvirtError as error:
            if error.get_error_code() not in _GONE:
                raise LabError(f"{self.what} cannot be removed: {error.get_error_message()}") from None
        except OSError as error:
            raise LabError(f"{self.what} cannot be removed: {error}") from None


@contextmanager
def connected(uri: str) -> Iterator[libvirt.virConnect]:
    """A connection to a libvirt, for as long as the context lasts.

    Raises:
        HostError: libvirt refuses.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    try:
        connection = libvirt.open(uri)
    except libvirt.libvirtError as error:
        said = " ".join(error.get_error_message().split())
        raise HostError(f"{uri}: {said}; is libvirtd (or virtqemud) running, and may this user manage it?") from None
    try:
        yield connection
    finally:
        connection.close()


def labelled(connection: libvirt.virConnect) -> list[Labelled]:
    """Everything there that has a label, in the order in which it can be removed: marks, guests, networks, disks."""
    found = []
    for domain in connection.listAllDomains():
        if label := _label_of(domain):
            found.append(Labelled(f"domain {domain.name()}", label, partial(_remove_domain, domain)))
    for network in connection.listAllNetworks():
        if label := _label_of(network):
            found.append(Labelled(f"network {network.name()}", label, partial(_remove, network)))
    for pool in connection.listAllStoragePools():
        if label := parse_label(pool.name()):
            found.append(Labelled(f"pool {pool.name()}", label, partial(_remove_pool, pool)))
    labels = sorted((one.label for one in found), key=lambda label: label.owner.alive is False)
    return [*(Labelled(*mark) for mark in marked(next(iter(labels), None))), *found]


def clean(uri: str, *, dry_run: bool) -> Iterator[tuple[str, str | None]]:
    """Remove what labs have left on a libvirt; says of each object what it is, and why it was kept if it was.

    Raises:
        InputError: there can be no lab on that libvirt.
        HostError: it refuses.
        LabError: it does not let go of something, for the first such reason; all else is gone.
    """
    failed: list[LabError] = []
    with connected(check_uri(uri)) as connection:
        for one in labelled(connection):
            why = one.why_kept
            if why is None and not dry_run:
                try:
                    one.remove()
                except LabError as error:
                    failed.append(error)
                    continue
            yield one.what, why
    if failed:
        raise failed[0]


def target_of(pool: libvirt.virStoragePool) -> tuple[str, Path]:
    """A pool's type, and the folder or device that it is."""
    root = ElementTree.fromstring(pool.XMLDesc())
    return root.get("type") or "", Path(root.findtext("target/path") or "/")


def _label_of(thing: libvirt.virDomain | libvirt.virNetwork) -> Label | None:
    try:
        return label_in(thing.XMLDesc())
    except libvirt.libvirtError:
        return None  # gone since it was listed


def _remove(thing: libvirt.virNetwork | libvirt.virStoragePool) -> None:
    if thing.isActive():
        thing.destroy()
    if thing.isPersistent():
        thing.undefine()


def _remove_domain(domain: libvirt.virDomain) -> None:
    if domain.isActive():
        domain.destroy()
    if domain.isPersistent():
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)


def _remove_pool(pool: libvirt.virStoragePool) -> None:
    kind, path = target_of(pool)
    # The folder goes before the pool: as long as there is a folder it is found.
    if kind == "dir" and path.name == pool.name() and path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    _remove(pool)
