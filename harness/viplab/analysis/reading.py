"""A trial's folder read into a `Record`: every file once, what is missing or damaged said instead of raised."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

import numpy as np

from viplab.address_family import family_of
from viplab.analysis.logs import Line, read_log
from viplab.analysis.ping import read_ping
from viplab.analysis.record import CaptureFile, Record
from viplab.capture.dissect import meanings
from viplab.capture.frames import Advert, Arp, Carp, Datagram, Echo, Meaning, Neighbour
from viplab.capture.index import Batch
from viplab.capture.pcap import Pcap
from viplab.errors import InputError
from viplab.regular_files import names_in, open_regular, read_up_to
from viplab.run_folder import LONGEST_SCENARIO, TrialFolder
from viplab.types import Event, HostName, HttpRequest, NetworkName, TrialInfo
from viplab.untrusted_data import yaml_value

# Frames of one capture that are read: eight minutes of a probe at 2 kHz, and no more of a capture that is hostile.
_MOST = 2_000_000
_MOST_FILES = 64
# Events of a kind that are kept; of ours only what is looked at several times a second says more in a trial.
_MOST_EVENTS, _MOST_FAULTS = 1000, 32
_UNCOUNTED = ("owners", "neighbour", "clock", "run_delay")
# Octets of a log or a transcript; ours have some ten thousand.
_LARGEST_TEXT = 4 << 20


def read_trial(folder: TrialFolder) -> Record:
    """Read one trial's folder.

    Raises:
        InputError: `trial.json` is missing or not ours; whatever else is wrong is said in the record's `issues`.
    """
    info = folder.info()
    if not info.nodes or not info.nodes.keys() <= info.stations.keys():
        raise InputError(f"{folder.path / 'trial.json'}: nodes needs a host, and stations each of those")
    issues: list[str] = []
    captures: dict[NetworkName, CaptureFile] = {}
    events = _events(folder, issues)
    wire = _capture(folder, info.adverts_on, issues, lambda frame: isinstance(frame, Advert | Carp), captures)
    public = _capture(folder, "public", issues, lambda frame: _concerns(frame, info.vip), captures)
    if info.adverts_on != "interconnect":
        _capture(folder, "interconnect", issues, lambda frame: False, captures)
    needs_markers = any(event.event == "fault_injected" and event.get("marker") for event in events)
    has_markers = needs_markers or folder.capture("mgmt").exists()
    markers: list[Meaning] = []
    if has_markers:
        markers = _capture(folder, "mgmt", issues, lambda frame: isinstance(frame, Datagram), captures)
    near_ns = events[0].t_ns if events else 0
    scenario = _scenario(folder, folder.path / "scenario.yaml", issues)
    transcript = _text(folder, folder.ping, issues)
    ping = read_ping(transcript) if transcript is not None else None
    if ping is None and any(event.event == "ping_started" for event in events):
        what = "missing" if transcript is None else "is no transcript of ping"
        issues.append(f"{folder.ping}: {what}, although ping was started")
    return Record(
        name=folder.name,
        info=info,
        scenario=scenario,
        config={host: _configuration(folder, host, info.configuration, issues) for host in info.nodes},
        events=events,
        adverts=[frame for frame in wire if _is_advert(frame, info)],
        carps=[frame for frame in wire if isinstance(frame, Carp)] if info.protocol != "carp" else [],
        arps=[frame for frame in public if isinstance(frame, Arp)],
        neighbours=[frame for frame in public if isinstance(frame, Neighbour)],
        echoes=[frame for frame in public if isinstance(frame, Echo)],
        markers=[frame for frame in markers if isinstance(frame, Datagram)],
        ping=ping,
        logs={host: _log(folder, host, near_ns, issues) for host in info.hosts},
        audit={host: (_text(folder, folder.host(host, "audit.log"), issues) or "").splitlines() for host in info.hosts},
        http=_http(folder, issues) if any(event.event == "http_started" for event in events) else [],
        captures=captures,
        issues=issues,
    )


def _is_advert(frame: Meaning, info: TrialInfo) -> TypeGuard[Advert | Carp]:
    """Whether it is an advert of the trial's virtual router, in its protocol."""
    if not info.advertises:
        return False
    if info.protocol == "carp":
        return isinstance(frame, Carp) and frame.virtual_host_id == info.virtual_router_id
    if not isinstance(frame, Advert) or frame.virtual_router_id != info.virtual_router_id:
        return False
    # The same number is another virtual router's in the other family (RFC 9568, section 5.2.3).
    return family_of(frame.src_ip) is family_of(info.vip)


def _events(folder: TrialFolder, issues: list[str]) -> list[Event]:
    events: list[Event] = []
    seen: Counter[str] = Counter()
    try:
        # Kept one by one: those before a damaged line are still good.
        for event in folder.events():
            seen[event.event] += 1
            if event.event in _UNCOUNTED or seen[event.event] <= _most(event.event):
                events.append(event)
    except InputError as error:
        issues.append(str(error))
    issues += [
        f"{folder.timeline}: {number:,} events {kind[:40]!r}; those after {_most(kind):,} are not read"
        for kind, number in seen.items()
        if kind not in _UNCOUNTED and number > _most(kind)
    ]
    if not events:
        issues.append(f"{folder.timeline}: missing or empty")
    return events


def _most(kind: str) -> int:
    return _MOST_FAULTS if kind in ("fault_injected", "fault_healed") else _MOST_EVENTS


def _scenario(folder: TrialFolder, path: Path, issues: list[str]) -> str:
    """The scenario's text, "" where it is none: what was to be expected is then not known."""
    text = _text(folder, path, issues)
    try:
        if text is not None and len(text) <= LONGEST_SCENARIO and isinstance(yaml_value(text), dict):
            return text
    except ValueError:
        pass
    issues.append(f"{path}: {'missing' if text is None else 'is no scenario'}")
    return ""


def _http(folder: TrialFolder, issues: list[str]) -> list[HttpRequest]:
    requests: list[HttpRequest] = []
    try:
        # One by one, as above.
        for request in folder.http_requests():
            requests.append(request)
    except InputError as error:
        issues.append(str(error))
    return requests


def _capture(
    folder: TrialFolder,
    network: NetworkName,
    issues: list[str],
    wanted: Callable[[Meaning], bool],
    files: dict[NetworkName, CaptureFile],
) -> list[Meaning]:
    """What is wanted of a capture, in the order of time; the rest of it is counted and never in memory."""
    found: list[Meaning] = []
    counted = CaptureFile()
    try:
        pcap = Pcap(folder.capture(network), folder.path)
        for batch in pcap.batches():
            counted = _counted(counted, batch)
            found += filter(wanted, meanings(batch))
            if counted.packets > _MOST:
                issues.append(f"{pcap.path}: more than {_MOST:,} frames; the rest is not read")
                break
        files[network] = counted
        if pcap.cut:
            issues.append(f"{pcap.path}: ends within a record; the capture was not closed")
    except InputError as error:
        issues.append(str(error))
    return sorted(found, key=lambda meaning: meaning.time_ns)


def _counted(so_far: CaptureFile, batch: Batch) -> CaptureFile:
    """A capture with one more stretch of it."""
    times = batch.time_ns
    apart = np.diff(times, prepend=so_far.last_ns if so_far.packets else times[0])
    at_once = np.flatnonzero(apart[1:] == 0)
    same = ((batch.start[at_once + n], batch.start[at_once + n] + batch.kept[at_once + n]) for n in (0, 1))
    pairs = zip(*(zip(begin.tolist(), end.tolist(), strict=True) for begin, end in same), strict=True)
    return CaptureFile(
        packets=so_far.packets + len(batch),
        first_ns=min(so_far.first_ns, int(times.min())) if so_far.packets else int(times.min()),
        last_ns=max(so_far.last_ns, int(times.max())),
        backwards_ns=max(so_far.backwards_ns, -int(apart.min())),
        twice=so_far.twice + sum(batch.data[slice(*one)] == batch.data[slice(*other)] for one, other in pairs),
    )


def _concerns(frame: Meaning, vip: str) -> bool:
    """Whether a frame of the public network belongs to the trial: echo from or to the VIP, and who has which MAC."""
    if isinstance(frame, Echo):
        return vip in (frame.src_ip, frame.dst_ip)
    return isinstance(frame, Arp | Neighbour)


def _configuration(folder: TrialFolder, host: HostName, names: list[str], issues: list[str]) -> dict[str, str | None]:
    """A host's configuration files by name."""
    names = names or [name for name in names_in(folder.path, folder.host(host, "")) if name.endswith(".conf")]
    return {name: _text(folder, folder.host(host, name), issues) for name in names[:_MOST_FILES]}


def _log(folder: TrialFolder, host: HostName, near_ns: int, issues: list[str]) -> list[Line]:
    """The log in the article's form, dated by the same lines of `precise.log` where the guest kept that too."""
    precise: defaultdict[tuple[str, str], deque[Line]] = defaultdict(deque)
    for line in _lines(folder, folder.host(host, "precise.log"), near_ns, issues):
        precise[line.ident, line.message].append(line)
    dated = []
    for line in _lines(folder, folder.host(host, "messages.log"), near_ns, issues):
        same = precise[line.ident, line.message]
        exact = same.popleft() if same else line
        dated.append(replace(line, time_ns=exact.time_ns, resolution_ns=exact.resolution_ns))
    return dated


def _lines(folder: TrialFolder, path: Path, near_ns: int, issues: list[str]) -> list[Line]:
    data = _bytes(folder, path, issues)
    return read_log(data, near_ns) if data is not None else []


def _text(folder: TrialFolder, path: Path, issues: list[str]) -> str | None:
    data = _bytes(folder, path, issues)
    return data.decode("utf-8", errors="backslashreplace") if data is not None else None


def _bytes(folder: TrialFolder, path: Path, issues: list[str]) -> bytes | None:
    """A file's bytes, None where it cannot be read; a guest that logs without end fills no memory here."""
    try:
        opened = open_regular(folder.path, path)
        if opened is None:
            return None
        with opened as file:
            data = read_up_to(file, _LARGEST_TEXT + 1)
    except InputError as error:
        issues.append(str(error))
        return None
    if len(data) > _LARGEST_TEXT:
        issues.append(f"{path}: larger than {_LARGEST_TEXT >> 20} MiB; what is beyond that is not read")
    return data[:_LARGEST_TEXT]
