"""Says what this machine lacks for the bench and how to get it.

Nothing but the standard library is imported here, and a Python as old as 3.9 can run it: `bootstrap` asks this file, as
a plain script, which packages to install before any dependency is there::

    python3 -I harness/viplab/doctor.py --packages tests    # the missing ones of those that `nox -s tests` needs

The needs are one table. Each has a probe that looks for the thing itself, not for a package, so that a program built by
hand counts too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)
FREE_MIB = 6 * 1024
LACKING = 69  # ExitStatus.UNAVAILABLE, which a plain script cannot import

# The bench cannot do without the first three; "tests" and "cloud" are for a nox session, and without "speed" all is
# just slower.
BENCH = ("build", "network", "lab")
CONNECT = "connect"
"""For a run on the machine's own libvirt, which is looked at only where `--connect` names it."""
_NEEDED = (*BENCH, CONNECT)
SESSION_PURPOSES = {
    "cloud": (*BENCH, "cloud"),
    "lint": ("build",),
    "search": ("build",),
    "tests": ("build", "network", "tests"),
    "wheel": ("build", "network"),
}

_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_INSTALL = {
    "apt": "apt-get install --no-install-recommends",
    "dnf": "dnf install --setopt=install_weak_deps=False",
}


@dataclass(frozen=True)
class Finding:
    """What was found out about one need; `remedy` is empty where there is nothing to do."""

    name: str
    ok: bool
    detail: str
    remedy: str
    needed_for: str


@dataclass(frozen=True)
class Need:
    """Something that a package brings.

    Attributes:
        probe: Where it is, or None.
        apt: Names of the package, newest first: what one release has apart, an older one may have inside another.
        dnf: The same for Fedora and EL.
    """

    name: str
    needed_for: str
    probe: Callable[[], str | None]
    apt: tuple[str, ...]
    dnf: tuple[str, ...]


def _program(*names: str) -> Callable[[], str | None]:
    return lambda: next((found for name in names if (found := shutil.which(name))), None)


def _file(*patterns: str) -> Callable[[], str | None]:
    return lambda: next((str(found) for pattern in patterns for found in Path("/").glob(pattern)), None)


def _module(name: str) -> Callable[[], str | None]:
    def probe() -> str | None:
        found = importlib.util.find_spec(name)
        return found.origin if found else None

    return probe


def _python_headers() -> str | None:
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return str(header) if header.is_file() else None


def _libvirt_driver(name: str) -> Callable[[], str | None]:
    return _file(*(f"usr/{lib}/libvirt/connection-driver/libvirt_driver_{name}.so" for lib in ("lib/*", "lib64")))


# libvirt-python is published as source only, hence a compiler and headers. Of libvirt, the daemon and the two drivers
# that are used: `libvirt-daemon-system` would set up services on the machine, which the private lab does not need.
NEEDS = (
    Need("venv", "build", _module("ensurepip"), (f"{_PYTHON}-venv",), (_PYTHON,)),
    Need("C compiler", "build", _program("cc", "gcc"), ("gcc",), ("gcc",)),
    Need("C headers", "build", _file("usr/include/stdio.h"), ("libc6-dev",), ("glibc-devel",)),
    Need("Python headers", "build", _python_headers, (f"{_PYTHON}-dev",), (f"{_PYTHON}-devel",)),
    Need("pkg-config", "build", _program("pkg-config"), ("pkg-config",), ("pkgconf-pkg-config",)),
    Need("libvirt headers", "build", _file("usr/include/libvirt/libvirt.h"), ("libvirt-dev",), ("libvirt-devel",)),
    Need("ip", "network", _program("ip"), ("iproute2",), ("iproute",)),
    Need("unshare", "network", _program("unshare"), ("util-linux",), ("util-linux",)),
    Need("tcpdump", "network", _program("tcpdump"), ("tcpdump",), ("tcpdump",)),
    Need("ping", "network", _program("ping"), ("iputils-ping",), ("iputils",)),
    Need("arp", "network", _program("arp"), ("net-tools",), ("net-tools",)),
    # With the compiler, what sources of a daemon are built with.
    Need("make", "tests", _program("make"), ("make",), ("make",)),
    Need("ps", "tests", _program("ps"), ("procps",), ("procps-ng",)),
    # A peer for vipd in namespaces. Without a configuration, and it comes with none, its service does not start.
    Need("keepalived", "tests", _program("keepalived"), ("keepalived",), ("keepalived",)),
    # A peer and a subject. Where systemd is the first process its package starts zebra, which then has nothing to do.
    Need("FRR's vrrpd", "tests", _file("usr/lib/frr/vrrpd", "usr/libexec/frr/vrrpd"), ("frr",), ("frr",)),
    # What a virtual IP is for, in namespaces; with the configuration that it comes with it listens nowhere.
    Need("haproxy", "tests", _program("haproxy"), ("haproxy",), ("haproxy",)),
    Need("nft", "tests", _program("nft"), ("nftables",), ("nftables",)),
    Need("libvirtd", "lab", _program("libvirtd"), ("libvirt-daemon",), ("libvirt-daemon",)),
    Need(
        "libvirt's qemu driver",
        "lab",
        _libvirt_driver("qemu"),
        ("libvirt-daemon-driver-qemu",),
        ("libvirt-daemon-driver-qemu",),
    ),
    Need(
        "libvirt's network driver",
        "lab",
        _libvirt_driver("network"),
        ("libvirt-daemon-driver-network", "libvirt-daemon"),
        ("libvirt-daemon-driver-network",),
    ),
    Need("iptables", "lab", _program("iptables"), ("iptables",), ("iptables-nft",)),
    Need("qemu", "lab", _program("qemu-system-x86_64", "/usr/libexec/qemu-kvm"), ("qemu-system-x86",), ("qemu-kvm",)),
    Need("qemu-img", "lab", _program("qemu-img"), ("qemu-utils",), ("qemu-img",)),
    Need("xorriso", "lab", _program("xorriso"), ("xorriso",), ("xorriso",)),
    Need("mmdebstrap", "lab", _program("mmdebstrap"), ("mmdebstrap",), ("mmdebstrap",)),
    Need(
        "Debian's archive keys",
        "lab",
        _file("usr/share/keyrings/debian-archive-keyring.*"),
        ("debian-archive-keyring",),
        ("debian-keyring",),
    ),
    # An image as clouds have them is made of these, to be tried.
    Need("grub-mkimage", "cloud", _program("grub-mkimage"), ("grub-common",), ("grub2-tools",)),
    Need("GRUB", "cloud", _file("usr/lib/grub/i386-pc/boot.img"), ("grub-pc-bin",), ("grub2-pc-modules",)),
    Need("mke2fs", "lab", _program("mke2fs"), ("e2fsprogs",), ("e2fsprogs",)),
)

LAB_MODULES = {
    "cryptography": "cryptography",
    "libvirt": "libvirt-python",
    "paramiko": "paramiko",
    "pyroute2": "pyroute2",
}
"""What the extra `lab` brings, by the name to import."""
GET_LAB_MODULE = "the extra `lab` brings it: `pip install 'viplab[lab]'`, or '.[lab]' in a checkout"


def package_family() -> str | None:
    """`apt` or `dnf`, whichever this machine installs packages with; None where it is neither."""
    return next((name for name, program in (("apt", "apt-get"), ("dnf", "dnf")) if shutil.which(program)), None)


def missing_packages(session: str, family: str | None) -> list[str]:
    """Packages that bring what is missing for a nox session, in the order of the table, each once."""
    purposes = SESSION_PURPOSES.get(session, BENCH)
    missing = (need for need in NEEDS if need.needed_for in purposes and need.probe() is None)
    return list(dict.fromkeys(package for need in missing if (package := _package(need, family))))


def examine() -> list[Finding]:
    """Look at everything that the bench needs from this machine."""
    family = package_family()
    return [
        _root(),
        _python(),
        *(_needed(need, family) for need in NEEDS),
        *(_python_package(module, project) for module, project in LAB_MODULES.items()),
        _namespaces(),
        _disk(),
        _kvm(),
    ]


def missing(*purposes: str) -> list[Finding]:
    """What is not here of the things that are needed for these purposes."""
    family = package_family()
    return [_needed(need, family) for need in NEEDS if need.needed_for in purposes and need.probe() is None]


def lacking(findings: Iterable[Finding]) -> list[Finding]:
    """Those that keep the bench from working."""
    return [finding for finding in findings if not finding.ok and finding.needed_for in _NEEDED]


def _package(need: Need, family: str | None) -> str | None:
    if family is None:
        return None
    names: tuple[str, ...] = getattr(need, family)
    known = (name for name in names[:-1] if family == "apt" and _succeeds("apt-cache", "show", name))
    return next(known, names[-1])


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _needed(need: Need, family: str | None) -> Finding:
    found = need.probe()
    if found is not None:
        return Finding(need.name, True, found, "", need.needed_for)
    package = _package(need, family)
    remedy = f"{_INSTALL[family]} {package}" if family and package else f"install what Debian calls {need.apt[-1]}"
    return Finding(need.name, False, "not found", remedy, need.needed_for)


def _root() -> Finding:
    ok = os.geteuid() == 0
    remedy = "" if ok else "run it with sudo: the lab makes namespaces, bridges and guests of its own"
    return Finding("root", ok, f"user id {os.geteuid()}", remedy, "lab")


def _python() -> Finding:
    ok = sys.version_info >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    remedy = (
        "" if ok else f"use Python {oldest} or newer; Debian 12, Ubuntu 24.04 and Fedora have one, EL 9 has python3.11"
    )
    return Finding("python", ok, f"{platform.python_version()}, {sys.executable}", remedy, "build")


def _python_package(module: str, project: str) -> Finding:
    found = _module(module)()
    remedy = "" if found else GET_LAB_MODULE
    return Finding(project, found is not None, found or "not installed", remedy, "lab")


def _namespaces() -> Finding:
    ok = _succeeds("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--mount-proc", "true")
    remedy = "" if ok else "run it as root, and not inside a container that forbids new namespaces"
    return Finding("namespaces", ok, "can be made" if ok else "cannot be made", remedy, "network")


def _disk() -> Finding:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    there = next(path for path in (cache, *cache.parents) if path.exists())
    free_mib = shutil.disk_usage(there).free // 2**20
    ok = free_mib >= FREE_MIB
    remedy = "" if ok else "free some, or point XDG_CACHE_HOME to a larger disk"
    return Finding("disk", ok, f"{free_mib} MiB free for {cache}, {FREE_MIB} needed to build an image", remedy, "lab")


def _kvm() -> Finding:
    ok = os.access("/dev/kvm", os.R_OK | os.W_OK)
    detail = "/dev/kvm opens; the lab finds out by booting whether it works" if ok else "no usable /dev/kvm"
    remedy = "" if ok else "nothing to do: guests run under qemu's own translator, several times slower"
    return Finding("kvm", ok, detail, remedy, "speed")


def main(arguments: list[str], more: Iterable[Finding] = ()) -> int:
    """Print what was found, and `more`, as JSON with `--json`; with `--packages SESSION` what a nox session lacks.

    Returns:
        0, or `LACKING` where something is missing that the bench needs.
    """
    if arguments[:1] == ["--packages"]:
        session = " ".join(arguments[1:])
        sys.stdout.writelines(f"{package}\n" for package in missing_packages(session, package_family()))
        return 0
    findings = [*examine(), *more]
    if arguments == ["--json"]:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(findings))
    return LACKING if lacking(findings) else 0


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok" if finding.ok else "MISS" if finding.needed_for in _NEEDED else "-"
        remedy = f"; {finding.remedy}" if finding.remedy else ""
        yield f"{mark:4}  {finding.name:{width}}  {finding.detail}{remedy}"
    missing = len(lacking(findings))
    yield f"{missing} missing" if missing else "nothing missing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
