"""The run folder: what the experiment leaves behind, and all that analysis and report may look at.

Layout, every path relative to `results/runs/<id>/`::

    run.json                      RunInfo: provenance, written before the first trial
    recipe.yaml                   what was asked for, to the letter: `viplab run --recipe` does it again
    preflight.json                what might spoil numbers, as found before the first trial
    reference.yaml                the article's claims that this run is judged against
    trials/001-failover-vipd/
      trial.json                  TrialInfo: what was asked, of whom, with which addresses and timers
      scenario.yaml               the scenario as it was read
      timeline.jsonl              Event, one a line, appended as it happens
      capture/public.pcap         ARP and ICMP, or ND and ICMPv6, as the client's bridge saw them
      capture/interconnect.pcap   VRRP adverts
      capture/mgmt.pcap           the markers that date a fault inside a guest
      ping.txt                    transcript of the article's 1 Hz ping
      http.jsonl                  HttpRequest, one a line, appended as it ends; where the scenario asks over HTTP
      hosts/A/messages.log        what host A logged during the trial (bytes, untrusted)
      hosts/A/precise.log         the same lines, dated to the microsecond
      hosts/A/audit.log           what SELinux denied among it, of a host that has an audit log
      hosts/A/keepalived.conf     the configuration as it was used
      hosts/A/console.log         serial console
      hosts/B/...
    summary.json                  written by analysis, nothing in it that is not derived from the files above
    report.html                   written by report: all of it in one file
    report/                       written by report: the same as a site, a page a part

Times are integer nanoseconds of the host's CLOCK_REALTIME, as are the stamps of the captures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from viplab.errors import InputError
from viplab.regular_files import open_regular, read_regular
from viplab.types import FORMER_NETWORKS, Event, HostName, HttpRequest, NetworkName, RunInfo, TrialInfo
from viplab.untrusted_data import json_value

ModelT = TypeVar("ModelT", bound=BaseModel)

LARGEST_JSON = 4 << 20
"""Octets of run.json and trial.json; ours have some thousands."""
LONGEST_LINE = 1 << 20
"""Octets of a line of the timeline or of the HTTP requests; ours have some hundreds, a printed ARP table some more."""
MOST_LINES = 1_000_000
LONGEST_SCENARIO = 1 << 20
"""Characters of scenario.yaml; ours have some thousands, one with two configurations of the user's up to 900,000."""


class TrialFolder:
    """Paths and typed reads of one trial's folder; it reads on request and caches nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Folder name, such as `001-failover-vipd`."""
        return self.path.name

    @property
    def ping(self) -> Path:
        """Transcript of the 1 Hz ping."""
        return self.path / "ping.txt"

    @property
    def http(self) -> Path:
        """The HTTP requests, where the scenario asked for them."""
        return self.path / "http.jsonl"

    @property
    def timeline(self) -> Path:
        """The append-only event stream."""
        return self.path / "timeline.jsonl"

    def capture(self, network: NetworkName) -> Path:
        """The pcap of one network; under the name that it had formerly where only that is there."""
        path = self.path / "capture" / f"{network}.pcap"
        former = (path.with_name(f"{old}.pcap") for old, new in FORMER_NETWORKS.items() if new == network)
        return path if path.exists() else next(filter(Path.exists, former), path)

    def http_requests(self) -> Iterator[HttpRequest]:
        """The HTTP requests in the order in which they ended.

        Raises:
            InputError: the file is missing, cut off, or holds something else; what comes before that is given.
        """
        if not self.http.exists():
            raise InputError(f"{self.http}: missing, although the HTTP probe was started")
        for where, line in self._lines(self.http):
            if not line.endswith(b"\n"):
                raise InputError(f"{self.http}: ends within a line; the HTTP probe was not stopped")
            yield _record(HttpRequest, line, where, "an HTTP request of viplab")

    @property
    def memory(self) -> Path:
        """Where the pair came from memory: what was recorded and logged as that was made, a folder."""
        return self.path / "memory"

    def host(self, host: HostName, name: str) -> Path:
        """One file kept from a guest (`messages.log`, `console.log`, its configuration)."""
        return self.path / "hosts" / host / name

    def info(self) -> TrialInfo:
        """`trial.json`, validated.

        Raises:
            InputError: it is missing, unreadable or of another schema.
        """
        return _load(TrialInfo, self.path, self.path / "trial.json")

    def events(self) -> Iterator[Event]:
        """The events in the order they were written; a torn last line (the run was killed) is left out.

        Raises:
            InputError: a line holds something else; what comes before it is given.
        """
        for where, line in self._lines(self.timeline):
            if line.endswith(b"\n"):
                yield _record(Event, line, where, "an event of a viplab timeline")

    def _lines(self, path: Path) -> Iterator[tuple[str, bytes]]:
        """The lines of a file, each with where it stands; none where there is no file."""
        opened = open_regular(self.path, path)
        if opened is None:
            return
        with opened as file:
            for number in range(1, MOST_LINES + 2):
                line = file.readline(LONGEST_LINE + 1)
                where = f"{path}:{number}"
                if len(line) > LONGEST_LINE:
                    raise InputError(f"{where}: longer than {LONGEST_LINE >> 10} KiB, no line of viplab is")
                if line and number > MOST_LINES:
                    raise InputError(f"{where}: more than {MOST_LINES:,} lines; the rest is not read")
                if not line:
                    return
                yield where, line


class RunFolder:
    """One run under `results/runs/`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def reference(self) -> Path:
        """The claims that this run is judged against."""
        return self.path / "reference.yaml"

    @property
    def preflight(self) -> Path:
        """What was found about the machine and the bridges before the first trial."""
        return self.path / "preflight.json"

    @property
    def recipe(self) -> Path:
        """All that is needed to do the run again."""
        return self.path / "recipe.yaml"

    @property
    def summary(self) -> Path:
        """Written by analysis."""
        return self.path / "summary.json"

    @property
    def report(self) -> Path:
        """Written by report: all of it in one file."""
        return self.path / "report.html"

    @property
    def site(self) -> Path:
        """Written by report: the same as a static site; `index.html` is its first page."""
        return self.path / "report"

    def info(self) -> RunInfo:
        """`run.json`, validated.

        Raises:
            InputError: there is no run here, or it is of another schema.
        """
        if not self.path.is_dir():
            raise InputError(f"{self.path}: no such run folder; `viplab runs` lists those that are here")
        return _load(RunInfo, self.path, self.path / "run.json")

    def trials(self) -> list[TrialFolder]:
        """The trials in the order they were run; a link is none."""
        root = self.path / "trials"
        if root.is_symlink() or not root.is_dir():
            return []
        return [TrialFolder(path) for path in sorted(root.iterdir()) if path.is_dir() and not path.is_symlink()]


def _load(model: type[ModelT], root: Path, path: Path) -> ModelT:
    content = read_regular(root, path, LARGEST_JSON)
    if content is None:
        raise InputError(f"{path}: missing; this is not a whole viplab run folder")
    try:
        return model.model_validate(json_value(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']} (written by another version of viplab?)") from None
    except ValueError as error:
        raise InputError(f"{path}: cannot be read as JSON ({error})") from None


def _record(model: type[ModelT], line: bytes, where: str, what: str) -> ModelT:
    try:
        return model.model_validate(json_value(line.decode("utf-8", "replace")))
    except ValidationError as error:
        raise InputError(f"{where}: not {what} ({error.errors()[0]['msg']})") from None
    except ValueError as error:
        raise InputError(f"{where}: not {what} ({error})") from None
