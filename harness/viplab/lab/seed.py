"""The seed of a cloud image's guest: a disk labelled CIDATA that tells cloud-init who the guest is (NoCloud)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viplab.lab.command import run
from viplab.lab.topology import Host
from viplab.resources import resource

PREPARE = "/usr/local/sbin/viplab-prepare"
"""The program that makes a guest of a cloud image ready for the bench; the seed brings it."""
INSTALLED = "viplab: installed"
MISSING = "viplab: not installed:"
"""What a guest says on its console once it has tried to install packages; the second is followed by their names."""
BUILD_MAC = "52:54:00:10:12:fe"
# What Debian's recipe gives its guests, and every other guest has to have as well.
_FILES_OF_ALL = (
    "etc/sysctl.d/90-viplab.conf",
    "etc/systemd/journald.conf.d/viplab.conf",
    "etc/rsyslog.d/viplab.conf",
)


@dataclass(frozen=True)
class Seed:
    """The three files of a seed; JSON is YAML."""

    meta_data: dict[str, Any]
    user_data: dict[str, Any]
    network_config: dict[str, Any]

    @property
    def files(self) -> dict[str, str]:
        """Their names and texts."""
        return {
            "meta-data": _text(self.meta_data),
            "user-data": "#cloud-config\n" + _text(self.user_data),
            "network-config": _text(self.network_config),
        }

    def write(self, path: Path) -> None:
        """Write the disk, an ISO 9660 file system.

        Raises:
            HostError: xorriso is not installed.
            LabError: it failed.
        """
        path.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in self.files.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            names = ("-volid", "CIDATA", "-rational-rock", "-joliet")
            run(["xorriso", "-as", "mkisofs", "-quiet", "-output", path, *names, folder])


def of_host(host: Host, image: str, public_key: str, host_key: tuple[str, str]) -> Seed:
    """The seed of a host of the lab.

    Args:
        host: Its name, cards and addresses.
        image: The name of its image: another one is another instance, which cloud-init sets up anew.
        public_key: The key that root is reached with.
        host_key: The key that it has to answer with, private and public.
    """
    cards = {
        card.name: {"match": {"macaddress": card.mac}, "set-name": card.name, "addresses": [card.ip]}
        for card in host.interfaces
    }
    user_data = {
        "disable_root": False,
        "ssh_pwauth": False,
        # An account that is locked as a whole is refused by some sshd, whatever its key.
        "users": [{"name": "root", "lock_passwd": False, "ssh_authorized_keys": [public_key]}],
        "ssh_deletekeys": True,
        "ssh_keys": dict(zip(("ed25519_private", "ed25519_public"), host_key, strict=True)),
        "growpart": {"mode": "off"},
        "resize_rootfs": False,
        "write_files": [
            {"path": path, "content": text, "permissions": "0755" if path == PREPARE else "0644"}
            for path, text in _guest_files().items()
        ],
    }
    meta_data = {"instance-id": f"{image}-{host.name}", "local-hostname": host.hostname}
    return Seed(meta_data, user_data, {"version": 2, "ethernets": cards})


def of_build(packages: Sequence[str], instance: str) -> Seed:
    """The seed with which a guest installs packages from the network, says on its console what came of it, and ends."""
    check = 'missing=; for name do dpkg-query -W "$name" || rpm -q "$name" || missing="$missing $name"; done'
    # What it prints is on the console as well, should SELinux keep the port from it.
    say = f'if [ "$missing" ]; then echo "{MISSING}$missing"; else echo "{INSTALLED}"; fi | tee /dev/ttyS0; sync'
    user_data = {
        "package_update": True,
        "packages": list(packages),
        "runcmd": [["sh", "-c", f"{{ {check}; }} >/dev/null 2>&1; {say}", "sh", *packages]],
        "power_state": {"mode": "poweroff", "condition": True},
    }
    card = {"match": {"macaddress": BUILD_MAC}, "set-name": "eth0", "dhcp4": True}
    return Seed({"instance-id": instance}, user_data, {"version": 2, "ethernets": {"eth0": card}})


def _guest_files() -> dict[str, str]:
    """Where which file belongs in a guest that booted from a cloud image."""
    images = resource("vmimages")
    own = images / "cloud" / "overlay"
    found = {path: images / "debian" / "overlay" / path for path in _FILES_OF_ALL}
    found |= {str(path.relative_to(own)): path for path in sorted(own.rglob("*")) if path.is_file()}
    found[PREPARE.lstrip("/")] = images / "cloud" / "prepare"
    return {f"/{name}": path.read_text(encoding="utf-8") for name, path in found.items()}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1) + "\n"
