"""The configuration as data: immutable, complete, and in the units of the protocol (times in nanoseconds)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS


class VirtualAddress(NamedTuple):
    """One line of `virtual_ipaddress`. `address` is IPv4 or IPv6, `broadcast` a dotted quad."""

    address: str
    prefix_length: int
    device: str
    broadcast: str | None = None
    label: str | None = None
    scope: int = 0
    peer: str | None = None
    flags: int = 0  # IFA_F_...
    preferred_lft: int | None = None  # seconds; None for the kernel's own choice
    use_vmac: bool = False
    tracked: bool = True  # not no_track

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4

    @property
    def octets(self) -> bytes:
        """The address as on the wire."""
        return packed(self.address)


class Encap(NamedTuple):
    """A lightweight tunnel that a route leads into: its kind and attributes by the kernel's numbers, and as written."""

    kind: int
    attributes: tuple[tuple[int, bytes], ...]
    text: str


class Hop(NamedTuple):
    """One next hop of a route: the gateway `via`, the interface `device`, or both."""

    via: str | None = None
    device: str | None = None
    weight: int = 1
    onlink: bool = False
    realms: int | None = None
    encap: Encap | None = None


class Route(NamedTuple):
    """One line of `virtual_routes` or `static_routes`. `destination` is an address with its prefix length."""

    destination: str
    hops: tuple[Hop, ...] = ()
    kind: int = 1  # RTN_UNICAST
    source: str | None = None
    table: int = 254
    metric: int | None = None
    scope: int | None = None
    protocol: int = 18  # RTPROT_KEEPALIVED
    tos: int = 0
    metrics: tuple[tuple[int, int], ...] = ()  # RTAX number, value
    append: bool = False
    tracked: bool = True  # not no_track
    from_network: str | None = None  # IPv6 only
    realms: int | None = None
    preference: int | None = None  # of RFC 4191
    expires: int | None = None  # seconds
    congestion_control: str | None = None
    ttl_propagate: bool | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.destination else 4


class Rule(NamedTuple):
    """One line of `virtual_rules` or `static_rules`."""

    preference: int
    family: int = 4
    source: str | None = None
    destination: str | None = None
    table: int = 254
    action: int = 1  # FR_ACT_TO_TBL
    iif: str | None = None
    oif: str | None = None
    tos: int = 0
    fwmark: int | None = None
    fwmask: int | None = None
    goto: int | None = None
    invert: bool = False
    protocol: int = 18
    ip_proto: int | None = None
    sport: tuple[int, int] | None = None
    dport: tuple[int, int] | None = None
    uidrange: tuple[int, int] | None = None
    suppress_prefixlength: int | None = None
    suppress_ifgroup: int | None = None
    realms: int | None = None
    l3mdev: bool = False
    tunnel_id: int | None = None
    tracked: bool = True  # not no_track


class Command(NamedTuple):
    """A program to run: its words, and the user and group that it runs as; None for `script_user`."""

    argv: tuple[str, ...]
    user: str | None = None
    group: str | None = None


class Track(NamedTuple):
    """Something that changes a router's priority, or puts it in FAULT where `weight` is 0."""

    kind: str  # interface, script, file, process
    name: str
    weight: int = 0
    reverse: bool = False


class Hooks(NamedTuple):
    """The commands that a router or a sync group runs on a change of state, by its name; "" for every state."""

    commands: tuple[tuple[str, Command], ...] = ()
    priority_changes: bool | None = None


class RouterConfig(NamedTuple):
    """One `vrrp_instance`. None where the profile decides."""

    name: str
    interface: str
    vrid: int
    addresses: tuple[VirtualAddress, ...]
    priority: int = 100
    advert_int_ns: int = SECOND_NS
    initial_master: bool = False
    preempt: bool = True
    preempt_delay_ns: int = 0
    tracked: tuple[str, ...] = ()
    garp_repeat: int | None = None
    garp_delay_ns: int | None = None
    version: int = 2
    dual: bool = False  # sends and hears versions 2 and 3 (RFC 9568 section 8.4.2); IPv4 only
    native_ipv6: bool = False
    excluded: tuple[VirtualAddress, ...] = ()  # virtual_ipaddress_excluded: served, but not in adverts
    track_primary: bool = True  # not dont_track_primary
    down_timer_adverts: int = 3
    auth_type: int = 0  # 0 none, 1 PASS, 2 AH
    auth_pass: bytes = b""
    source: str | None = None  # mcast_src_ip, unicast_src_ip; the primary address unless given
    unicast_peers: tuple[str, ...] = ()
    unicast_ttl: int = 255
    check_unicast_src: bool = False
    use_vmac: bool = False
    vmac: str = ""  # name of the macvlan; "" for the first that is free
    vmac_xmit_base: bool = False  # adverts carry the physical MAC all the same
    accept: bool | None = None  # Accept_Mode
    message_only_checksum: bool | None = None  # v3_checksum_as_v2: RFC 9568 over IPv4, without the pseudo-header
    link_local_first: bool | None = None  # refuse IPv6 adverts whose first address is not link-local (erratum 8300)
    garp_refresh_ns: int = 0
    garp_refresh_repeat: int = 1
    garp_lower_prio_delay_ns: int | None = None
    garp_lower_prio_repeat: int | None = None
    garp_interval_ns: int = 0
    gna_interval_ns: int = 0
    lower_prio_no_advert: bool | None = None
    higher_prio_send_advert: bool = False
    owner_ignore_adverts: bool | None = None
    group: str = ""  # mcast_dst_ip; "" for the family's own
    strict: bool = False
    skip_address_check: bool = False
    unicast_ttl_ranges: tuple[tuple[int, int], ...] = ()  # min_ttl and max_ttl of each of `unicast_peers`
    unicast_fault_no_peer: bool = False
    track_source: bool = False
    vmac_mac: bytes = b""  # of the macvlan; b"" for the virtual router's own
    garp_extra_ns: int = 0
    promote_secondaries: bool = False
    receive_buffer: int = 0
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    tracks: tuple[Track, ...] = ()  # besides `tracked`
    hooks: Hooks = Hooks()

    @property
    def needs(self) -> tuple[str, ...]:
        """What has to be good, besides interfaces, or the router is in FAULT."""
        return tuple(f"{track.kind} {track.name}" for track in self.tracks if not track.weight or track.kind == "file")

    @property
    def family(self) -> int:
        """4 or 6: that of the addresses in its adverts, and of the adverts themselves (RFC 9568 section 5.2.9)."""
        return 6 if self.native_ipv6 or (self.addresses and self.addresses[0].family == 6) else 4

    @property
    def wire_version(self) -> int:
        """VRRP version of its adverts and timers: version 3 for IPv6 and for a router of both versions."""
        return 3 if self.family == 6 or self.dual else self.version

    @property
    def skew_ns(self) -> int:
        """Skew_Time with the configured priority."""
        return skew_ns(self.wire_version, self.priority, self.advert_int_ns)

    @property
    def master_down_ns(self) -> int:
        """Master_Down_Interval: three intervals and the skew (RFC 3768 and RFC 9568, section 6.1)."""
        return self.down_timer_adverts * self.advert_int_ns + self.skew_ns

    @property
    def served(self) -> tuple[VirtualAddress, ...]:
        """Every address that a master holds."""
        return self.addresses + self.excluded

    @property
    def default_device(self) -> str:
        """The device of addresses that name none."""
        return self.vmac_name if self.use_vmac else self.interface

    @property
    def vmac_name(self) -> str:
        """The macvlan that carries the virtual router's MAC address."""
        return self.vmac or f"vrrp.{self.vrid}"

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that has to be up for its own sake, the one of the adverts first."""
        return tuple(dict.fromkeys((*((self.interface,) if self.track_primary else ()), *self.tracked)))

    @property
    def carriers(self) -> tuple[str, ...]:
        """Every interface that has to be up for what it carries: addresses, virtual routes and rules without no_track.

        Its macvlan is not one of them, since it is down while another is master; nor, with dont_track_primary, the
        interface of the adverts for its addresses; nor the next hops of a route that has several and outlives each.
        """
        addresses = [one.device for one in self.served if one.tracked]
        routes = [one.hops[0].device for one in self.routes if one.tracked and len(one.hops) == 1]
        rules = [name for one in self.rules if one.tracked for name in (one.iif, one.oif)]
        own = () if self.track_primary else (self.interface,)
        found = (*(name for name in addresses if name not in own), *routes, *rules)
        return tuple(name for name in dict.fromkeys(found) if name and not (self.use_vmac and name == self.vmac_name))


class Script(NamedTuple):
    """One `vrrp_script`."""

    name: str
    command: Command
    interval_ns: int = SECOND_NS
    timeout_ns: int | None = None  # its interval
    weight: int = 0
    reverse: bool = False
    rise: int = 1
    fall: int = 1
    init_fail: bool = False


class TrackFile(NamedTuple):
    """One `track_file`; `initial` is written to it at start if it is not None."""

    name: str
    file: str
    weight: int = 1
    reverse: bool = False
    initial: int | None = None
    overwrite: bool = False


class TrackProcess(NamedTuple):
    """One `vrrp_track_process`."""

    name: str
    words: tuple[str, ...]
    params: str = ""  # param_match: exact, initial, partial; "" where it is not given
    weight: int = 1
    reverse: bool = False
    quorum: int = 1
    quorum_max: int | None = None
    fork_delay_ns: int = 0
    terminate_delay_ns: int = 0
    full_command: bool = False

    @property
    def which(self) -> tuple[tuple[str, ...], str, bool]:
        """Which processes count."""
        return self.words, self.params, self.full_command


class SyncGroup(NamedTuple):
    """One `vrrp_sync_group`: its members change state together."""

    name: str
    members: tuple[str, ...]
    tracking_weight: bool = False
    hooks: Hooks = Hooks()


class Globals(NamedTuple):
    """The values of `global_defs` that concern the whole daemon."""

    router_id: str | None = None
    script_user: tuple[str, ...] = ()
    script_security: bool = False
    fifo: tuple[str, ...] = ()  # path, and whose it is
    fifo_script: Command | None = None
    vrrp_fifo: tuple[str, ...] = ()
    vrrp_fifo_script: Command | None = None
    fifo_on_reload: bool = False
    startup_delay_ns: int = 0
    priority: int | None = None
    rt_priority: int | None = None
    rt_time_us: int | None = None
    no_swap: bool = False
    cpus: tuple[int, ...] = ()
    process_name: str | None = None
    vmac_prefix: str = "vrrp"
    umask: int | None = None
    data_file: str = "/tmp/keepalived.data"
    stats_file: str = "/tmp/keepalived.stats"
    json_file: str = "/tmp/keepalived.json"
    startup: Command | None = None
    startup_timeout_ns: int = 10 * SECOND_NS
    shutdown: Command | None = None
    shutdown_timeout_ns: int = 10 * SECOND_NS
    net_namespace: str | None = None


class Config(NamedTuple):
    """A whole keepalived.conf."""

    routers: tuple[RouterConfig, ...]
    groups: tuple[SyncGroup, ...] = ()
    scripts: tuple[Script, ...] = ()
    files: tuple[TrackFile, ...] = ()
    processes: tuple[TrackProcess, ...] = ()
    addresses: tuple[VirtualAddress, ...] = ()  # static_ipaddress
    routes: tuple[Route, ...] = ()  # static_routes
    rules: tuple[Rule, ...] = ()  # static_rules
    delays: tuple[tuple[str, int, int], ...] = ()  # interface_up_down_delays: name, down and up in nanoseconds
    globals: Globals = Globals()
    waits_for_interfaces: bool = False  # dynamic_interfaces


def skew_ns(version: int, priority: int, advert_int_ns: int) -> int:
    """Skew_Time: (256 - Priority) / 256 of a second (RFC 3768) or of the interval (RFC 9568 section 6.1).

    Never rounded to more than a nanosecond: centiseconds would let two priorities fire together.
    """
    return (256 - priority) * (advert_int_ns if version == 3 else SECOND_NS) // 256


@lru_cache(4096)  # the daemon asks for those of its configuration whenever an interface changes
def packed(address: str) -> bytes:
    """The octets of an IPv4 or IPv6 address in text."""
    if ":" not in address:
        return bytes(int(part) for part in address.split("."))
    from ipaddress import IPv6Address  # not before it is needed: it takes 4 ms to import

    return IPv6Address(address).packed
