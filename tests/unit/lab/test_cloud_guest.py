"""A guest of a cloud image: when it is not worth waiting for, and whether it is ready."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from viplab.errors import InputError, LabError
from viplab.lab.guest import Guest, Result
from viplab.lab.libvirt import cloud_guest
from viplab.lab.seed import PREPARE

BOOTING = b"[    0.000000] Linux version 6.1.0\r\n[  OK  ] Started OpenBSD Secure Shell server.\r\n"


class Told:
    """A guest with an answer, its status and what it printed, for each command that begins so."""

    host = SimpleNamespace(hostname="centOS-hostA")

    def __init__(self, answers: dict[str, tuple[int, str, str]]) -> None:
        self._answers = answers

    def run(self, command: str, *, timeout_s: float = 30) -> Result:
        """Answer."""
        found = next((told for start, told in self._answers.items() if command.startswith(start)), (0, "", ""))
        return Result(command, *found)


def guest(**answers: tuple[int, str, str]) -> Guest:
    begins = {"status": "cloud-init status --long", "prepare": PREPARE, "packages": "dpkg-query"}
    return cast("Guest", Told({begins[name]: told for name, told in answers.items()}))


@pytest.mark.parametrize("said", [b"", BOOTING, BOOTING + b"Cloud-init v. 22.4.2 running 'init'\r\nhost login: "])
def test_a_guest_that_boots_or_that_cloud_init_speaks_in_is_waited_for(said: bytes) -> None:
    cloud_guest.check_console(said, "own.qcow2-0123")


@pytest.mark.parametrize(
    "said",
    [
        b"\r\nDebian GNU/Linux 12 localhost ttyS0\r\n\r\nlocalhost login: ",
        b"[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.\r\n",
        b"[  OK  ] Reached target Multi-User System.\r\n",
    ],
)
def test_a_guest_that_is_up_without_cloud_init_is_one_line_that_names_the_image(said: bytes) -> None:
    with pytest.raises(InputError, match=r"^own.qcow2-0123: .* take an image with cloud-init$"):
        cloud_guest.check_console(BOOTING + said, "own.qcow2-0123")


@pytest.mark.parametrize("status", ["status: done\n", "status: degraded done\ndetail: x\n"])
def test_a_guest_is_prepared_once_cloud_init_is_done(status: str) -> None:
    cloud_guest.prepare(guest(status=(0, status, "")), 1)


def test_what_cloud_init_could_not_do_of_the_image_s_own_is_told_and_no_reason_to_refuse_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cloud_guest.prepare(guest(status=(1, "status: error\ndetail:\nno such module\n", "")), 1)
    assert "centOS-hostA: cloud-init says of the image: status: error detail: no such module" in capsys.readouterr().err


@pytest.mark.parametrize("status", ["status: running\n", "status: disabled\n", ""])
def test_a_seed_that_cloud_init_is_not_done_with_is_one_line(status: str) -> None:
    with pytest.raises(LabError, match=r"^centOS-hostA: cloud-init is not done with the seed: ") as caught:
        cloud_guest.prepare(guest(status=(1, status, "")), 1)
    assert "\n" not in str(caught.value)


def test_what_the_image_lacks_is_told_by_the_guest_itself() -> None:
    lacks = (1, "", "a warning\nit has no rsyslogd; put into the image what brings it\n")
    with pytest.raises(
        InputError, match=r"^centOS-hostA: the image cannot be used: it has no rsyslogd; put into"
    ) as caught:
        cloud_guest.prepare(guest(status=(0, "status: done\n", ""), prepare=lacks), 1)
    assert "\n" not in str(caught.value)


def test_packages_are_read_as_they_were_listed() -> None:
    listed = cloud_guest.packages(guest(packages=(0, "keepalived\t2.2.8-3.el9\nrsyslog\t8.2310.0-4.el9\n", "")))
    assert cloud_guest.read_packages(listed) == {"keepalived": "2.2.8-3.el9", "rsyslog": "8.2310.0-4.el9"}
