"""Which accelerator really boots a guest kernel: `kvm` or `qemu` (TCG).

That /dev/kvm opens proves nothing. There are hosts where it opens, a VM is created, the firmware runs, and a stock
kernel never starts. So the image's own kernel is booted once, with a time limit, until it says a first word; or, of an
image with a boot loader of its own, the disk.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from viplab.lab.cache import cache_dir
from viplab.lab.sandbox import contained

if TYPE_CHECKING:
    from viplab.lab.image import Image

Accelerator = Literal["kvm", "qemu"]
PROBE_LIMIT_S = 10.0
DISK_PROBE_LIMIT_S = 45.0
"""Firmware and boot loader come first, and a kernel that is quiet says nothing before systemd does."""
_FIRST_WORDS = re.compile(rb"Linux version|systemd\[1\]|cloud-init|login:")


def accelerator(image: Image) -> Accelerator:
    """The accelerator for this machine, probed once per boot of it and kept in the cache."""
    cached = cache_dir() / "accelerator.json"
    key = {"boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "image": image.name}
    try:
        known = json.loads(cached.read_text())
        if known["key"] == key:
            found: Accelerator = known["accelerator"]
            return found
    except (OSError, ValueError, KeyError):
        pass
    found = (
        "kvm"
        if os.access("/dev/kvm", os.R_OK | os.W_OK) and contained(lambda: boots_under_kvm(_arguments(image)))
        else "qemu"
    )
    cached.write_text(json.dumps({"key": key, "accelerator": found}) + "\n")
    return found


def emulator() -> str:
    """qemu's program; EL keeps it out of the path under a name of its own."""
    return shutil.which("qemu-system-x86_64") or "/usr/libexec/qemu-kvm"


def disk_arguments(disk: Path) -> list[str]:
    """What qemu boots a disk with, and leaves it as it is."""
    return ["-drive", f"file={disk},if=virtio,format=qcow2,snapshot=on"]


def _arguments(image: Image) -> list[str]:
    if image.boots_itself:
        return disk_arguments(image.disk)
    return ["-kernel", str(image.kernel), "-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"]


def boots_under_kvm(arguments: Sequence[str]) -> bool:
    """Whether what these arguments have qemu boot comes to say a word under KVM."""
    command = [emulator(), "-accel", "kvm", "-cpu", "host", "-m", "256", "-display", "none", "-no-reboot"]
    command += ["-nodefaults", "-serial", "stdio", *arguments]
    limit_s = PROBE_LIMIT_S if "-kernel" in arguments else DISK_PROBE_LIMIT_S
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        deadline = time.monotonic() + limit_s
        said = b""
        while time.monotonic() < deadline and not _FIRST_WORDS.search(said) and process.poll() is None:
            said += process.stdout.read() or b""
            time.sleep(0.05)
        said += process.stdout.read() or b""
        process.kill()
    return _FIRST_WORDS.search(said) is not None
