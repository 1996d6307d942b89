"""Our own daemon: built as one file on the host, installed over SFTP, started by its init script."""

from __future__ import annotations

import re
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from viplab.errors import NotSupportedError
from viplab.resources import resource
from viplab.subjects.build import Build, from_commit
from viplab.subjects.keepalived import KEEPALIVED_1, KEEPALIVED_2
from viplab.subjects.keepalived_conf import KEYWORDS, PATH, keepalived_conf, vmac
from viplab.subjects.subject import Subject
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

PROGRAM = "/usr/local/sbin/vipd.pyz"
PIDFILE = "/run/vipd.pid"
_BALANCES = re.compile(r"^\s*(virtual_server\w*)", re.MULTILINE)


class Vipd(Subject):
    """vipd, which behaves as the keepalived that its profile names."""

    name = "vipd"
    profiles = (KEEPALIVED_1, KEEPALIVED_2)
    present = ("/usr/bin/python3",)
    reloads = True
    keywords = KEYWORDS
    start_command = "/etc/init.d/vipd start >/dev/null"
    stop_command = "/etc/init.d/vipd stop >/dev/null"

    @classmethod
    def build_of(cls, source: str) -> Build:
        """A commit of this checkout."""
        return from_commit(source)

    @cached_property
    def _zipapp(self) -> bytes:
        from vipd.tools.zipapp import build_zipapp

        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "vipd.pyz"
            build_zipapp(target)
            return target.read_bytes()

    def install(self, guest: Guest) -> None:
        """Program, init script, systemd unit and the options that choose the profile."""
        if self.build is not None:
            self.build.unpack(guest, "/")
        else:
            guest.put(self._zipapp, PROGRAM, 0o755)
            guest.put(resource("agent/init.d/vipd").read_bytes(), "/etc/init.d/vipd", 0o755)
        guest.put(resource("agent/systemd/vipd.service").read_bytes(), "/etc/systemd/system/vipd.service")
        guest.put(f'VIPD_OPTIONS="-D --profile {self.profile}"\n'.encode(), "/etc/default/vipd")

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """A keepalived.conf, which it reads where keepalived does."""
        text = keepalived_conf(scenario, host)
        if balances := _BALANCES.search(text):
            raise NotSupportedError(f"vipd cannot do {scenario.scenario}: it has no {balances[1]}")
        return {PATH: text}

    def virtual_mac(self, scenario: Scenario) -> str | None:
        """With `use_vmac` the virtual router's, as keepalived."""
        return vmac(scenario)

    def version(self, guest: Guest) -> str:
        """What `vipd --version` prints."""
        said = guest.run(f"{PROGRAM} --version").checked().stdout.strip()
        return self._with_build(said)

    def processes(self, guest: Guest) -> list[int]:
        """The daemon's one process."""
        text = guest.get(PIDFILE).decode("ascii", "replace").strip()
        if not text.isdigit() or guest.run(f"kill -0 {text}").status != 0:
            raise self.gone(guest, "does not run")
        return [int(text)]
