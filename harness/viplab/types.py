"""The records of a run folder: what was asked for, of whom, and what happened, each a frozen model.

Times are integer nanoseconds of the host's CLOCK_REALTIME. `run_folder` says which file holds what.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

HostName = Annotated[str, Field(pattern=r"^[A-Z]$")]
"""A capital letter, whose place in the alphabet gives a host its addresses."""
NetworkName = Literal["public", "interconnect", "mgmt"]
StationName = Annotated[str, Field(pattern=r"^(client|[A-Z])$")]
Clock = Literal["own", "shared"]
"""Whether each host has a clock of its own, or all have the one of the machine."""
FORMER_NETWORKS: dict[str, NetworkName] = {"virbr0": "public"}
"""Runs before November 2026 call a network by its bridge, in `timeline.jsonl` and in the name of its capture."""
Protocol = Literal["vrrp2", "vrrp3", "carp", "none"]
"""What adverts are; with `none` there are none, and the master is who announced the VIP last."""
TO_BE_MASTER, LAST_BURST = "{} to be master", "the last burst of gratuitous ARP from {}"
"""What a step waits for of a host, as the event `missed` says it."""
HttpError = Literal["timeout", "refused", "reset", "closed", "unreachable", "garbled", "failed", "unanswered"]

IntervalS = Annotated[float, Field(ge=1e-6, le=3600)]
"""Seconds that a protocol or a probe may wait between two packets; bounded, so that arithmetic on it stays finite."""


class Frozen(BaseModel):
    """A model that refuses unknown keys and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False)


class Station(Frozen):
    """One end of the public network, by the addresses that captures show."""

    hostname: str
    public_mac: str
    public_ip: str
    interconnect_mac: str | None = None
    interconnect_ip: str | None = None


class NodeTimers(Frozen):
    """What one node was configured with, as far as deadlines depend on it."""

    state: Literal["MASTER", "BACKUP"]
    priority: int = Field(ge=1, le=255)
    advert_int_s: IntervalS
    # CARP's place for a priority: 256ths of a second that are added to the interval, so that less wins.
    advskew: int = Field(default=0, ge=0, le=255)
    preempt_delay_s: float = Field(default=0, ge=0, le=3600)
    """How long it leaves the address with a lower priority that has it."""


class Provenance(Frozen):
    """Where a run comes from. None where a thing does not apply (no image in a netns lab)."""

    git: str | None
    argv: list[str]
    host_kernel: str
    qemu: str | None
    libvirt: str | None
    accel: str | None
    image: str | None
    packages: dict[str, dict[str, str]] = Field(default_factory=dict)


class NotSupported(Frozen):
    """A scenario that was asked for and not done, since the daemon or the lab cannot do it honestly."""

    scenario: str
    subject: str
    profile: str
    why: str


class RunInfo(Frozen):
    """`run.json`."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    id: str
    started: str
    provenance: Provenance
    seed: int | None = None
    """Places the faults within the advert interval."""
    not_supported: list[NotSupported] = Field(default_factory=list)


class Daemon(Frozen):
    """What one host runs."""

    subject: str
    family: str
    """What its behaviour is called: the deadlines and log lines that it was expected to show."""


class TrialInfo(Frozen):
    """`trial.json`: everything that analysis needs to know besides what was seen."""

    scenario: str
    title: str
    subject: str
    subject_version: str
    profile: str
    family: str
    """As `family` of what each host runs, or, where that is not the same everywhere, `A=FAMILY,B=FAMILY`."""
    daemons: dict[HostName, Daemon] = Field(default_factory=dict)
    """What each host runs, where they were named one by one; empty where all run `subject`."""
    protocol: Protocol = "vrrp2"
    configuration: list[Annotated[str, Field(pattern=r"^[^/]+$")]] = Field(default_factory=list)
    """The files of `hosts/A` that are its configuration; an old run does not say, there they end in `.conf`."""
    lab: str
    clock: Clock
    accel: str | None
    trial: int = Field(ge=1)
    restored: bool = False
    """Whether its hosts came, at the end of their set-up, from saved memory."""
    vip: str
    vips: list[str] = Field(default_factory=list)
    """Every virtual address where there are several, the one that is asked first."""
    virtual_router_id: int
    instance: str | None = None
    """What logs call its virtual router, where there may be others; an old run does not say, there is one."""
    further: dict[str, str] = Field(default_factory=dict)
    """The first address of each further virtual router, by the name that logs have."""
    in_step: list[NetworkName] = Field(default_factory=list)
    """The networks of the adverts of those that change state with it."""
    adverts_on: NetworkName = "interconnect"
    virtual_mac: str | None = None
    """The MAC of the VIP on whichever host is master; None where it has that of the host."""
    bridges: dict[NetworkName, str] = Field(default={"public": "virbr0", "interconnect": "virbr1", "mgmt": "virbr2"})
    """The host's bridge that each network is made of."""
    stations: dict[StationName, Station]
    nodes: dict[HostName, NodeTimers]
    """The hosts that run the daemon: those that can own the VIP."""
    tracked: list[str] = Field(default_factory=list)
    seed: int | None = None
    probe_kind: Literal["icmp", "udp"] = "icmp"
    probe_interval_s: IntervalS | None = None
    probe_source: str | None = None
    ping_interval_s: IntervalS = 1.0
    http_interval_s: IntervalS | None = None

    @property
    def advertises(self) -> bool:
        """Whether the master says again and again that it is; else only its announcements tell."""
        return self.protocol != "none"

    @property
    def hosts(self) -> list[HostName]:
        """Every host of the trial, whether it runs the daemon or not."""
        return sorted(self.stations.keys() - {"client"})

    def daemon(self, host: HostName) -> Daemon:
        """What this host runs."""
        return self.daemons.get(host) or Daemon(subject=self.subject, family=self.family)

    @model_validator(mode="before")
    @classmethod
    def _clock_by_its_lab(cls, record: Any) -> Any:
        # Runs before November 2026 do not say it, and know two labs.
        if isinstance(record, dict) and "clock" not in record:
            return {**record, "clock": "shared" if record.get("lab") == "netns" else "own"}
        return record


_TEXT, _WHOLE, _NUMBER, _NONE = (str,), (int,), (int, float), type(None)
_WHOLE_OR_NONE = (*_WHOLE, _NONE)
_FAULT = {"kind": _TEXT, "host": (*_TEXT, _NONE), "before_ns": _WHOLE_OR_NONE, "after_ns": _WHOLE_OR_NONE}
KEYS: dict[str, dict[str, tuple[type, ...]]] = {
    "clock": {"realtime_ns": _WHOLE, "monotonic_ns": _WHOLE},
    "guest_clock": {"host": _TEXT, "offset_ns": _WHOLE, "uncertainty_ns": _WHOLE},
    "capture_stopped": {"network": _TEXT, "packets": _WHOLE_OR_NONE, "dropped": _WHOLE_OR_NONE},
    "probe_stopped": {"sent": _WHOLE, "unsent": _WHOLE, "interval_s": _NUMBER},
    "step_finished": {"waited_s": (*_NUMBER, _NONE)},
    "fault_injected": _FAULT | {"duration_ns": _WHOLE_OR_NONE},
    "fault_healed": _FAULT | {"frames": _WHOLE_OR_NONE, "due": _WHOLE_OR_NONE},
    "owners": {"macs": (list, _NONE), "hosts": (list, _NONE)},
    "environment": {"steal_share": (*_NUMBER, _NONE)},
    "neighbour": {"ip": _TEXT, "mac": (*_TEXT, _NONE)},
    "check": {"claim": _TEXT, "ok": (bool, _NONE)},
    "holds": {"host": _TEXT},
    "run_delay": {"hosts": (dict,), "anybody": _WHOLE_OR_NONE},
    "restored": {"hosts": (list,), "made_ns": _WHOLE},
    "missed": {"what": _TEXT, "within_s": _NUMBER, "bursts": _WHOLE_OR_NONE},
    "unanswered": {"addresses": (list,)},
    "service_started": {"service": _TEXT, "host": _TEXT, "listens": (bool,), "said": _TEXT},
}
"""What analysis computes with, and what it may be; a line in which it is something else is no event of ours."""


class Event(BaseModel):
    """One line of `timeline.jsonl`; `event` names the kind, further keys depend on it.

    ==================  =============================================================================================
    event               further keys
    ==================  =============================================================================================
    trial_started       scenario, subject, seed
    prepared            reset_s, configure_s: what it took to have fresh hosts with the daemon on them, and configured
    restored            what (in words), hosts (whose daemon runs), made_ns (when the set-up was done whose outcome was
                        saved), restore_s: in place of `prepared` and the set-up, which are in `memory/`
    interfaces          when (before|after), counters (what the kernel counted on each bridge and its ports)
    capture_started     network (public|interconnect|mgmt), snap_bytes, buffer_kib
    capture_stopped     network, packets, dropped (kernel + interface, by tcpdump's own count)
    clock               realtime_ns, monotonic_ns (both ends of the trial)
    guest_clock         host, offset_ns (guest minus host), uncertainty_ns, exchanges (the quickest of so many);
                        at both ends of the trial
    step_started        step (text as in the scenario), phase (setup|steps)
    step_finished       step, phase, waited_s (0 where the step waited for nothing)
    daemon_started      host; an end is a fault, such as stop
    service_started     service, host, listens (bool: whether it did once it was started), said (what it printed)
    fault_injected      kind (a name of viplab.faults), host (null where no host is struck), before_ns, after_ns,
                        marker (the token that a marker datagram carries, or null), place (0 to 1 within the advert
                        interval, as drawn or asked for, or null), duration_ns where it was asked to last so long,
                        network of the link that it is done to, if any, share of what is lost by chance, if any
    fault_healed        kind, host, before_ns, after_ns, frames (how many a rule dropped, or a stranger sent), and of a
                        stranger due (how many were to be sent), failed (why it fell silent before, or null)
    probe_started       kind (icmp|udp), rate (requests a second), realtime (whether it is scheduled in real time)
    probe_stopped       sent, unsent (the kernel refused), interval_s, achieved_rate (sent and unsent a second),
                        late_median_ns, late_p99_ns, late_max_ns: how late requests were, by the absolute schedule
    http_started        rate (requests a second of each kind), timeout_s (for those over new connections), realtime
    http_stopped        sent, withheld (not sent: too many were under way), late_max_ns (by the absolute schedule)
    ping_started        target
    ping_stopped        target
    arp                 when (before|after), text (`arp -an` on the client, or `ip -6 neighbour show`)
    neighbour           ip, mac (null when there is none), state (NUD name), deleted (bool)
    owners              macs (list: who answered when asked for the VIP), hosts (list: at whose port; old runs: none)
    holds               host, vip (bool), daemon (bool): what the guest itself says it has
    check               claim (P1..P10), ok (null where this lab has no such thing), detail: a set-up check of part 1
    unanswered          addresses (which of the virtual addresses beyond the first answered no echo request at the end),
                        table (the client's neighbours after that; old runs: none)
    environment         stp, stp_before (bool, at the end and at the beginning; runs made before 27 November 2026 say it
                        of the end alone), forward_delay_s, steal_share, busy_share (of all processors),
                        longest_full_s (the longest stretch without an idle processor), load1: what spoils numbers
    run_delay           hosts (by host: for how long in all, in ns, it was ready to run and had no processor), anybody
                        (the same of whoever waited on the machine, at once or in turn; null where it does not say)
    missed              what, within_s: what the subject should have done in the measured steps and did not; bursts (how
                        often it was to announce; runs made before 27 November 2026 do not say)
    daemon_failed       message: the daemon did not start, or ended by itself; the last that it said
    error               message: the trial was broken off
    trial_finished      -
    ==================  =============================================================================================
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    t_ns: int = Field(ge=0, lt=1 << 63)
    event: str

    @model_validator(mode="before")
    @classmethod
    def _network_by_its_name(cls, line: Any) -> Any:
        if isinstance(line, dict) and str(line.get("network")) in FORMER_NETWORKS:
            return {**line, "network": FORMER_NETWORKS[line["network"]]}
        return line

    @model_validator(mode="after")
    def _is_what_it_should_be(self) -> Event:
        for key, types in KEYS.get(self.event, {}).items():
            if not isinstance(self.get(key), types):
                raise ValueError(f"{key} of {self.event} is {str(self.get(key))[:40]!r}")
        return self

    def __getitem__(self, key: str) -> Any:
        return (self.model_extra or {})[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The further key, or the default where this event does not have it, or has null."""
        value = (self.model_extra or {}).get(key)
        return default if value is None else value


class HttpRequest(Frozen):
    """One line of `http.jsonl`: a request that has ended, over a connection of its own or over the one that is kept.

    Errors: `timeout` (no answer in time; over the kept connection what the kernel says when it gives up), `refused`,
    `reset`, `closed` (the other end closed before it had answered), `unreachable`, `garbled` (not our responder's
    answer), `failed` (anything else), `unanswered` (under way when the probe was stopped).
    """

    connection: Literal["new", "kept"]
    n: int = Field(ge=0)
    line: int = Field(default=0, ge=0, description="Which of the connections that are kept open; 0 of a new one.")
    due_ns: int
    sent_ns: int
    connect_ns: int | None = Field(description="What the connection took; null where it was there or never came about.")
    total_ns: int = Field(ge=0, description="From the start, of the connection if it is new, to the answer or the end.")
    host: HostName | None = Field(description="The host that says that it answered.")
    error: HttpError | None

    @property
    def end_ns(self) -> int:
        """When its fate was known."""
        return self.sent_ns + self.total_ns
