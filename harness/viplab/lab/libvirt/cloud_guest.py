"""What a guest of a cloud image needs that one of ours does not: cloud-init's verdict, and a last preparation."""

from __future__ import annotations

from viplab.errors import InputError, LabError
from viplab.lab.guest import Guest
from viplab.lab.seed import PREPARE
from viplab.progress import note

_LIST = r"dpkg-query -W -f='${Package}\t${Version}\n' 2>/dev/null || rpm -qa --qf '%{NAME}\t%{VERSION}-%{RELEASE}\n'"

_LIST_LIMIT_S = 300.0
_UP = (b"login:", b"multi-user")
"""What a console says of a guest that is up: a getty, and systemd of its target."""


def check_console(console: bytes, image: str) -> None:
    """See to it, while a guest boots, that there is something to wait for.

    Raises:
        InputError: it is up, and cloud-init has not said a word by then.
    """
    said = console.lower()
    if any(word in said for word in _UP) and b"cloud-init" not in said:
        raise InputError(
            f"{image}: its guest is up, and cloud-init said nothing: the image has none, or it is switched off there, "
            "so that nobody told the guest its addresses and key; take an image with cloud-init"
        )


def prepare(guest: Guest, limit_s: float) -> None:
    """Wait until cloud-init is done, and have the guest do what it has to before its memory is saved.

    Raises:
        InputError: it lacks what the bench needs.
        LabError: cloud-init does not come to an end.
    """
    guest.run("cloud-init status --wait >/dev/null", timeout_s=limit_s)
    said = guest.run("cloud-init status --long").stdout
    status = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line).get("status", "unknown")
    told = " ".join(said.split()) or "it said nothing"
    if status == "error":
        # What the bench needs of it has been done, or nobody would have got in.
        note(f"{guest.host.hostname}: cloud-init says of the image: {told}")
    elif status not in ("done", "degraded done"):
        raise LabError(f"{guest.host.hostname}: cloud-init is not done with the seed: {told}")
    done = guest.run(PREPARE, timeout_s=limit_s)
    if done.status != 0:
        why = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"{guest.host.hostname}: the image cannot be used: {why}")


def packages(guest: Guest) -> str:
    """What is installed: a line each, name and version apart by a tab."""
    return guest.run(_LIST, timeout_s=_LIST_LIMIT_S).checked().stdout


def read_packages(listed: str) -> dict[str, str]:
    """The same, name to version."""
    return dict(line.split("\t", 1) for line in listed.splitlines() if "\t" in line)
