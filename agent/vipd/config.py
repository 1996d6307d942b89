"""What the configuration means, once it has been read: frozen, complete, in the units that the core uses."""

from __future__ import annotations

from typing import NamedTuple

from vipd.behaviour import SECOND_NS


class VirtualAddress(NamedTuple):
    """One line of `virtual_ipaddress`. `address` and `broadcast` are dotted quads."""

    address: str
    prefix_length: int
    device: str
    broadcast: str | None = None
    label: str | None = None
    scope: int = 0

    @property
    def octets(self) -> bytes:
        """The address as on the wire."""
        return bytes(int(part) for part in self.address.split("."))


class RouterConfig(NamedTuple):
    """One `vrrp_instance`. None where the profile decides."""

    name: str
    interface: str
    vrid: int
    addresses: tuple[VirtualAddress, ...]
    priority: int = 100
    advert_int_s: int = 1
    initial_master: bool = False
    preempt: bool = True
    preempt_delay_ns: int = 0
    tracked: tuple[str, ...] = ()
    garp_repeat: int | None = None
    garp_delay_ns: int | None = None

    @property
    def advert_int_ns(self) -> int:
        """Advertisement_Interval (RFC 3768 section 6.1)."""
        return self.advert_int_s * SECOND_NS

    @property
    def skew_ns(self) -> int:
        """Skew_Time: (256 - Priority) / 256 seconds, never rounded to more than a nanosecond (section 6.1)."""
        return (256 - self.priority) * SECOND_NS // 256

    @property
    def master_down_ns(self) -> int:
        """Master_Down_Interval: three intervals and the skew (section 6.1)."""
        return 3 * self.advert_int_ns + self.skew_ns

    @property
    def interfaces(self) -> tuple[str, ...]:
        """Every interface that has to be up, the one of the adverts first."""
        return tuple(dict.fromkeys((self.interface, *self.tracked)))


class Config(NamedTuple):
    """A whole keepalived.conf, as far as vipd goes; `size` is that of its text."""

    routers: tuple[RouterConfig, ...]
    router_id: str | None = None
    warnings: tuple[str, ...] = ()
    size: int = 0
