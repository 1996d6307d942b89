"""Which accelerator really boots a guest kernel: `kvm` or `qemu` (TCG).

That /dev/kvm opens proves nothing. There are hosts where it opens, a VM is created, the firmware runs, and a stock
kernel never starts. So the image's own kernel is booted once, with a time limit, until it says a first word.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Literal

from viplab.lab.cache import cache_dir
from viplab.lab.image import Image
from viplab.lab.sandbox import contained

Accelerator = Literal["kvm", "qemu"]
PROBE_LIMIT_S = 10.0
_FIRST_WORD = b"Linux version"


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
    found = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) and contained(lambda: _boots_under_kvm(image)) else "qemu"
    cached.write_text(json.dumps({"key": key, "accelerator": found}) + "\n")
    return found


def emulator() -> str:
    """qemu's program; EL keeps it out of the path under a name of its own."""
    return shutil.which("qemu-system-x86_64") or "/usr/libexec/qemu-kvm"


def _boots_under_kvm(image: Image) -> bool:
    command = [emulator(), "-accel", "kvm", "-cpu", "host", "-m", "256", "-display", "none", "-no-reboot"]
    command += ["-nodefaults", "-serial", "stdio", "-kernel", str(image.kernel)]
    command += ["-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        deadline = time.monotonic() + PROBE_LIMIT_S
        said = b""
        while time.monotonic() < deadline and _FIRST_WORD not in said and process.poll() is None:
            said += process.stdout.read() or b""
            time.sleep(0.05)
        said += process.stdout.read() or b""
        process.kill()
    return _FIRST_WORD in said
