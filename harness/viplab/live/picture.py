"""What is known of a trial at a moment: events and lines of ping's transcript in, states out. No clock, no files."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from viplab.faults import UnknownFaultError, fault_kind
from viplab.types import TrialInfo

KEPT = 200
"""Replies and events that are remembered."""
GRACE_NS = 1_200_000_000
"""A request is held to be lost when it is older than this and nothing has come; a reply takes some milliseconds."""
PING_EVERY_NS = 1_000_000_000

_REPLY = re.compile(r"icmp_seq=(\d{1,9})\b.*\btime=([\d.]{1,12}) ms")
_DULL = frozenset(
    {
        "arp",
        "capture_started",
        "capture_stopped",
        "clock",
        "environment",
        "guest_clock",
        "holds",
        "interfaces",
        "owners",
        "prepared",
    }
)
"""Events that make no line: too many of them, or nothing that a spectator asks for."""


@dataclass(frozen=True)
class News:
    """One line of what happened; `loud` where it changes what a client sees."""

    t_ns: int
    text: str
    loud: bool = False


@dataclass
class Picture:
    """One trial as far as it has come."""

    info: TrialInfo | None = None
    scenario: str = ""
    subject: str = ""
    started_ns: int | None = None
    now_ns: int = 0
    step: str = ""
    phase: str = ""
    _states: dict[str, str] = field(default_factory=dict)
    _before: dict[tuple[str, str], str] = field(default_factory=dict)
    """By kind of fault and host: what the host was when it was struck."""
    owners: list[str] | None = None
    client: str | None = None
    finished: bool = False
    news: deque[News] = field(default_factory=lambda: deque(maxlen=KEPT))
    told: int = 0
    """News that there has been, whether it is still remembered or not."""
    _replies: dict[int, float] = field(default_factory=dict)
    _ping_ns: int | None = None
    _ping_end_ns: int | None = None
    _sent: int | None = None
    _told_lost: int = 0

    @property
    def hosts(self) -> dict[str, str]:
        """Each host with its state."""
        if self.info is None:
            return {}
        return {
            host: self._states.get(host, "off" if host in self.info.nodes else "no daemon") for host in self.info.hosts
        }

    def heard(self, event: dict[str, Any]) -> None:
        """Take one event of the timeline; what is not understood is left out."""
        kind, t_ns = event.get("event"), event.get("t_ns")
        if not isinstance(kind, str) or not isinstance(t_ns, int):
            return
        self.now_ns = max(self.now_ns, t_ns)
        handler = getattr(self, f"_on_{kind}", None)
        if handler is not None:
            handler(event, t_ns)
        elif kind not in _DULL:
            self._tell(t_ns, kind.replace("_", " "))

    def pinged(self, line: str) -> None:
        """Take one line of ping's transcript."""
        if match := _REPLY.search(line):
            self._replies[int(match[1])] = float(match[2])
            while len(self._replies) > KEPT:
                del self._replies[min(self._replies)]
        elif match := re.match(r"(\d{1,9}) packets transmitted", line):
            self._sent = int(match[1])

    def looked(self, now_ns: int) -> None:
        """Let time pass; a request that nobody answered turns into a loss, and into news."""
        if not self.finished:
            self.now_ns = max(self.now_ns, now_ns)
        last = self.last_due()
        for seq in range(max(self._told_lost, last - KEPT) + 1, last + 1):
            if seq not in self._replies:
                self._tell(self._sent_ns(seq), f"ping {seq} unanswered", loud=True)
        self._told_lost = max(self._told_lost, last)

    def last_due(self) -> int:
        """The last request of the 1 Hz ping that should have been answered by now."""
        if self._ping_ns is None:
            return 0
        if self._sent is not None:
            return self._sent
        until_ns = self.now_ns if self._ping_end_ns is None else self._ping_end_ns
        by_time = (until_ns - GRACE_NS - self._ping_ns) // PING_EVERY_NS + 1
        return max(by_time, max(self._replies, default=0))

    def trips(self, most: int) -> list[float | None]:
        """The last round trips in milliseconds, None for a request that was lost."""
        last = self.last_due()
        return [self._replies.get(seq) for seq in range(max(1, last - most + 1), last + 1)]

    def silent_s(self) -> float | None:
        """For how long the client has been without an answer; None while it has answers, or does not ask."""
        if self._ping_ns is None or self._ping_end_ns is not None or self.finished:
            return None
        last = max(self._replies, default=0)
        return None if self.last_due() <= last else (self.now_ns - self._sent_ns(last + 1)) / 1e9

    def since_s(self, t_ns: int) -> float:
        """Seconds from the beginning of the trial."""
        return (t_ns - self.started_ns) / 1e9 if self.started_ns is not None else 0.0

    def _sent_ns(self, seq: int) -> int:
        return (self._ping_ns or 0) + (seq - 1) * PING_EVERY_NS

    def _who(self, mac: Any) -> str:
        stations = self.info.stations if self.info else {}
        for name, station in stations.items():
            if station.public_mac.lower() == str(mac).lower():
                return name
        return str(mac)

    def _tell(self, t_ns: int, text: str, *, loud: bool = False) -> None:
        self.news.append(News(t_ns, text, loud))
        self.told += 1

    def newest(self, shown: int) -> list[News]:
        """What there is after the first `shown` pieces of news."""
        fresh = min(self.told - shown, len(self.news))
        return list(self.news)[len(self.news) - fresh :]

    def _on_trial_started(self, event: dict[str, Any], t_ns: int) -> None:
        self.started_ns = t_ns
        self.scenario, self.subject = str(event.get("scenario")), str(event.get("subject"))

    def _on_trial_finished(self, event: dict[str, Any], t_ns: int) -> None:
        self.finished = True
        self.step = ""
        self._tell(t_ns, "trial finished")

    def _on_step_started(self, event: dict[str, Any], t_ns: int) -> None:
        self.phase, self.step = str(event.get("phase")), str(event.get("step"))
        self._tell(t_ns, f"{self.phase}: {self.step}")

    def _on_step_finished(self, event: dict[str, Any], t_ns: int) -> None:
        self.step = ""

    def _on_restored(self, event: dict[str, Any], t_ns: int) -> None:
        self._states |= {str(host): "daemon up" for host in event.get("hosts") or []}
        self._tell(t_ns, str(event.get("what")))

    def _on_daemon_started(self, event: dict[str, Any], t_ns: int) -> None:
        self._states[str(event.get("host"))] = "daemon up"

    def _on_fault_injected(self, event: dict[str, Any], t_ns: int) -> None:
        try:
            kind = fault_kind(str(event.get("kind")))
        except UnknownFaultError as error:
            self._tell(t_ns, str(error), loud=True)
            return
        host = str(event.get("host"))
        if kind.state is not None:
            self._before[kind.name, host] = self._states.get(host, "off")
            self._states[host] = kind.state
        self._tell(t_ns, f"fault: {kind.said(host)}", loud=True)

    def _on_fault_healed(self, event: dict[str, Any], t_ns: int) -> None:
        try:
            kind = fault_kind(str(event.get("kind")))
        except UnknownFaultError:
            return  # told of when it struck
        host = str(event.get("host"))
        before = self._before.pop((kind.name, host), None)
        if before is not None and self._states.get(host) == kind.state:
            self._states[host] = before
        self._tell(t_ns, f"healed: {kind.said_healed(host)}")

    def _on_owners(self, event: dict[str, Any], t_ns: int) -> None:
        hosts, macs = event.get("hosts"), event.get("macs")
        owners = [self._who(mac) for mac in macs] if isinstance(macs, list) else []
        if isinstance(hosts, list) and hosts:
            owners = [str(host) for host in hosts]
        if owners != self.owners:
            self.owners = owners
            words = " and ".join(owners) or "nobody"
            self._tell(t_ns, f"the address is held by {words}", loud=len(owners) != 1)

    def _on_neighbour(self, event: dict[str, Any], t_ns: int) -> None:
        client = None if event.get("deleted") or not event.get("mac") else self._who(event["mac"])
        if client != self.client:
            self.client = client
            self._tell(t_ns, f"the client’s neighbour entry points at {client or 'nobody'}")

    def _on_ping_started(self, event: dict[str, Any], t_ns: int) -> None:
        self._ping_ns, self._ping_end_ns = t_ns, None
        self._tell(t_ns, "ping started")

    def _on_ping_stopped(self, event: dict[str, Any], t_ns: int) -> None:
        self._ping_end_ns = t_ns
        self._tell(t_ns, "ping stopped")

    def _on_check(self, event: dict[str, Any], t_ns: int) -> None:
        ok = event.get("ok")
        words = "does not apply" if ok is None else "holds" if ok else "does not hold"
        self._tell(t_ns, f"check {event.get('claim')}: {words}", loud=ok is False)

    def _on_daemon_failed(self, event: dict[str, Any], t_ns: int) -> None:
        self._tell(t_ns, str(event.get("message")), loud=True)

    def _on_error(self, event: dict[str, Any], t_ns: int) -> None:
        self._tell(t_ns, f"broken off: {event.get('message')}", loud=True)
