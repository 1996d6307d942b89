"""The private lab's ground: a sandbox's own mounts, network and libvirtd, so that no other libvirt is ever met.

`virbr0` and 192.168.122.0/24 exist only in the sandbox's network namespace; several labs run side by side with the same
addresses. Call `prepare` inside a sandbox made with `sandbox.LAB`, and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import libvirt

from viplab.errors import HostError, LabError
from viplab.lab import kernel
from viplab.lab.bridges import bypass_netfilter
from viplab.lab.command import run
from viplab.lab.waiting import until

URI = "qemu:///system"
WORK = Path("/run/viplab-lab")
LOG = WORK / "libvirtd.log"
START_LIMIT_S = 30.0

# What libvirt would share with the machine's own: each becomes an empty folder in memory.
_LIBVIRT_FOLDERS = (
    "/etc/libvirt",
    "/var/lib/libvirt",
    "/run/libvirt",
    "/var/cache/libvirt",
    "/var/log/libvirt",
)
# Packages make these; libvirtd takes them for granted.
_EXPECTED = ("/var/lib/libvirt/dnsmasq", "/var/lib/libvirt/qemu", "/var/log/libvirt/qemu", "/run/libvirt/qemu")
# The system bus stays hidden: systemd-machined would be told of guests that it cannot see the end of.
_HIDDEN = ("/run/dbus",)
# Debian 12's libvirtd looks this account up as it starts, though qemu runs as root here. Only `libvirt-daemon-system`
# makes it, which would set up services on the machine as well.
_ACCOUNTS = {
    "/etc/passwd": "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin",
    "/etc/group": "libvirt-qemu:x:64055:",
}

_LIBVIRTD_CONF = """\
auth_unix_ro = "none"
auth_unix_rw = "none"
log_outputs = "2:stderr"
"""
_QEMU_CONF = """\
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
save_image_format = "raw"
"""


def prepare() -> libvirt.virConnect:
    """Make the mounts, start a libvirtd in the foreground and connect to it.

    Raises:
        HostError: libvirtd is not installed or does not start here.
    """
    if shutil.which("libvirtd") is None:
        raise HostError("libvirtd: not installed; `viplab doctor` says how to get it")
    _mount()
    bypass_netfilter()
    run(["ip", "link", "set", "lo", "up"])
    with LOG.open("wb") as log:
        daemon = subprocess.Popen(
            ["libvirtd", "--pid-file", str(WORK / "libvirtd.pid")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "LC_ALL": "C"},
        )
    libvirt.registerErrorHandler(lambda _context, _error: None, None)

    def connect() -> libvirt.virConnect | None:
        if daemon.poll() is not None:
            raise HostError(f"libvirtd ended at once: {last_line(LOG)}")
        try:
            return libvirt.open(URI)
        except libvirt.libvirtError:
            return None

    try:
        return until("libvirtd to answer", connect, within_s=START_LIMIT_S, every_s=0.05)
    except LabError as error:
        raise HostError(f"{error}; its last line: {last_line(LOG)}") from None


def last_line(path: Path) -> str:
    """The last line of a log, or a word for an empty one."""
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "(nothing)"


def _mount() -> None:
    for folder in (*_LIBVIRT_FOLDERS, str(WORK)):
        Path(folder).mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", folder, "tmpfs", data="mode=755")
    for folder in _HIDDEN:
        if Path(folder).is_dir():
            kernel.mount("tmpfs", folder, "tmpfs", data="mode=755")
    for folder in _EXPECTED:
        Path(folder).mkdir(parents=True)
    for path, line in _ACCOUNTS.items():
        _add_account(Path(path), line)
    # The new network namespace's own devices, or libvirt would look for its bridges among the machine's.
    kernel.mount("sysfs", "/sys", "sysfs")
    Path("/etc/libvirt/libvirtd.conf").write_text(_LIBVIRTD_CONF)
    Path("/etc/libvirt/qemu.conf").write_text(_QEMU_CONF)


def _add_account(file: Path, line: str) -> None:
    """Have the account in the sandbox's own view of the file, unless the machine has it."""
    text = file.read_text(encoding="utf-8")
    if any(known.startswith(line.partition(":")[0] + ":") for known in text.splitlines()):
        return
    ours = WORK / file.name
    ours.write_text(f"{text.rstrip()}\n{line}\n", encoding="utf-8")
    kernel.mount(str(ours), str(file), flags=kernel.MS_BIND)
