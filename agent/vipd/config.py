"""What the configuration means, once it has been read: frozen, complete, in the units that the core uses."""

from __future__ import annotations

from typing import NamedTuple

from vipd.behaviour import SECOND_NS


class VirtualAddress(NamedTuple):
    """One line of `virtual_ipaddress`. `address` is IPv4 or IPv6, `broadcast` a dotted quad."""

    address: str
    prefix_length: int
    device: str
    broadcast: str | None = None
    label: str | None = None
    scope: int = 0

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4

    @property
    def octets(self) -> bytes:
        """The address as on the wire."""
        return packed(self.address)


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
    vmac: str = ""  # name of the macvlan; "" for vrrp.VRID
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

    @property
    def family(self) -> int:
        """4 or 6: that of the addresses in its adverts, and of the adverts themselves (RFC 9568 section 5.2.9)."""
        return 6 if self.native_ipv6 or (self.addresses and self.addresses[0].family == 6) else 4

    @property
    def wire_version(self) -> int:
        """VRRP version of its adverts: IPv6 has version 3 only."""
        return 3 if self.family == 6 else self.version

    @property
    def skew_ns(self) -> int:
        """Skew_Time with the configured priority."""
        return skew_ns(self.wire_version, self.priority, self.advert_int_ns)

    @property
    def master_down_ns(self) -> int:
        """Master_Down_Interval: three intervals and the skew (RFC 3768 and RFC 9568, section 6.1)."""
        return self.down_timer_adverts * self.advert_int_ns + self.skew_ns

    @property
    def vmac_name(self) -> str:
        """The macvlan that carries the virtual router's MAC address."""
        return self.vmac or f"vrrp{'6' if self.family == 6 else ''}.{self.vrid}"

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that has to be up, the one of the adverts first."""
        return tuple(dict.fromkeys((*((self.interface,) if self.track_primary else ()), *self.tracked)))


class Config(NamedTuple):
    """A whole keepalived.conf, as far as vipd goes; `size` is that of its text."""

    routers: tuple[RouterConfig, ...]
    router_id: str | None = None
    warnings: tuple[str, ...] = ()
    size: int = 0


def skew_ns(version: int, priority: int, advert_int_ns: int) -> int:
    """Skew_Time: (256 - Priority) / 256 of a second (RFC 3768) or of the interval (RFC 9568 section 6.1).

    Never rounded to more than a nanosecond: centiseconds would let two priorities fire together.
    """
    return (256 - priority) * (advert_int_ns if version == 3 else SECOND_NS) // 256


def packed(address: str) -> bytes:
    """The octets of an IPv4 or IPv6 address in text."""
    if ":" not in address:
        return bytes(int(part) for part in address.split("."))
    from ipaddress import IPv6Address  # not before it is needed: it takes 4 ms to import

    return IPv6Address(address).packed
