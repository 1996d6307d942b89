"""The virtual router that a scenario asks for: each field is a keyword of keepalived.conf, in the order of that file.

What is written of it (`viplab.subjects.keepalived_conf`), the schema of a scenario file and the table in
docs/scenarios.md are made of these fields: a keyword more is a field more.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from viplab.address_family import IPV6, AddressFamily, family_of
from viplab.addresses import Card


class Strict(BaseModel):
    """A part of a scenario, which refuses unknown keys and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _lines(value: object) -> object:
    """A block's lines, each range of last octets (`192.0.2.50-99/24 dev eth1`) as one line for each address."""
    if not isinstance(value, str | list):
        return value
    lines: list[object] = []
    for line in [value] if isinstance(value, str) else value:
        match = _RANGE.fullmatch(line) if isinstance(line, str) else None
        if match is None:
            lines.append(line)
            continue
        first, last = int(match["first"]), int(match["last"])
        if not first <= last <= _LAST:
            raise ValueError(f"{line}: the range goes from {first} to {last}; it has to go up, to {_LAST} at most")
        lines += [f"{match['before']}{octet}{match['after']}" for octet in range(first, last + 1)]
    for line in lines:
        if isinstance(line, str):
            _interface(line)
    return lines


def _interface(line: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """The address that a line begins with, and its prefix length."""
    first = (line.split() or [""])[0]
    if "%" in first:
        raise ValueError(f"{first}: the interface stands behind `dev`, not in the address")
    return ipaddress.ip_interface(first)


_RANGE = re.compile(r"(?P<before>(?:\d{1,3}\.){3})(?P<first>\d{1,3})-(?P<last>\d{1,3})(?P<after>(?:[/ ].*)?)")
_LAST = 254
_MOST = 255
"""Addresses that an advert can count."""
AddressLines = Annotated[
    list[str], BeforeValidator(_lines, json_schema_input_type=str | list[str]), Field(max_length=_MOST)
]


class Authentication(Strict):
    """The block of that name."""

    auth_type: Literal["PASS"] = Field(default="PASS", description="A password, readable by all.")
    auth_pass: str = Field(pattern=r"^[!-~]+$", description="The password, of which eight characters are sent.")


class Script(Strict):
    """A `vrrp_script`."""

    script: str = Field(pattern=r'^[^"\n]+$', description="The command; it fails where its exit status is not 0.")
    interval: int = Field(default=1, ge=1, le=3600, description="Seconds between two runs.")
    timeout: int | None = Field(default=None, ge=1, le=3600, description="Seconds after which it has failed.")
    weight: int | None = Field(default=None, ge=-253, le=253, description="What it adds to the priority.")
    rise: int | None = Field(default=None, ge=1, le=1000, description="Successes after which it is well.")
    fall: int | None = Field(default=None, ge=1, le=1000, description="Failures after which it has failed.")


class File(Strict):
    """A `vrrp_track_file`."""

    file: str = Field(pattern=r"^/[!-~]+$", description="The file, which holds a number.")
    weight: int | None = Field(
        default=None,
        ge=-254,
        le=254,
        description="By what the number is multiplied that is added to the priority.",
    )


_Name = Annotated[str, Field(pattern=r"""^[^\s{}"'#!]+$""")]
"""A word that keepalived.conf takes as it is."""

_Tracked = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+( weight -?[0-9]{1,3})?$")]
"""A name, and a weight where that is not the one that it was defined with."""


class _Addressed(Strict):
    """What is asked of the addresses of an instance, the first or a further one."""

    if TYPE_CHECKING:
        # Each defines them itself, where they belong among its keywords.
        virtual_ipaddress: list[str]
        virtual_ipaddress_excluded: list[str]

    @property
    def vip(self) -> str:
        """The address that the client asks: the first, or of IPv6 the first that is not link-local."""
        return str(_interface(self._asked_line).ip)

    @property
    def family(self) -> AddressFamily:
        """The family of the addresses, as keepalived takes it from the first."""
        return family_of(self.vips[0])

    @property
    def vips(self) -> list[str]:
        """Every virtual address."""
        lines = (*self.virtual_ipaddress, *self.virtual_ipaddress_excluded)
        return [str(_interface(line).ip) for line in lines]

    @property
    def _asked_line(self) -> str:
        lines = self.virtual_ipaddress
        return next((line for line in lines if not _interface(line).ip.is_link_local), lines[0])

    def _check_family(self, where: str, version: int) -> None:
        """Refuse addresses of two families, or of IPv6 with what that does not have."""
        if other := [vip for vip in self.vips if family_of(vip) is not self.family]:
            both = f"{self.vips[0]} and {other[0]}"
            raise ValueError(f"{where}{both}: an instance has addresses of one family; leave one out")
        if self.family is IPV6 and version == 2:
            raise ValueError(f"{where}virtual_ipaddress: version 2 knows IPv4 only; add `version: 3`")
        if self.family is IPV6 and _interface(self.vip).ip.is_link_local:
            wanted = "the client needs one to ask that is not link-local; add `fd00:122::50/64 dev eth1`"
            raise ValueError(f"{where}virtual_ipaddress: {wanted}")


class Instance(_Addressed):
    """A further `vrrp_instance`, which has in common with the first what is not said here."""

    interface: Card = Field(default="eth0", description="Interface that its adverts travel on.")
    virtual_router_id: int = Field(ge=1, le=255, description="Its number.")
    version: Literal[2, 3] | None = Field(default=None, description="Version of VRRP; that of the first.")
    track_interface: list[str] = Field(default=[], description="Interfaces whose loss puts it into FAULT.")
    virtual_ipaddress: AddressLines = Field(min_length=1, description="Its addresses.")
    virtual_ipaddress_excluded: AddressLines = Field(default=[], description="Addresses that are in no advert.")


class Vrrp(_Addressed):
    """The virtual router that the hosts are configured with; names are keepalived's."""

    name: _Name = Field(default="VI_1", description="Name of the `vrrp_instance`, which logs have.")
    interface: Card = Field(default="eth0", description="Interface that the adverts travel on (the interconnect).")
    virtual_router_id: int = Field(default=51, ge=1, le=255, description="Number of the virtual router.")
    version: Literal[2, 3] = Field(default=2, description="Version of VRRP.")
    advert_int: float = Field(
        default=1,
        ge=0.01,
        le=255,
        description="Seconds between adverts: whole ones in version 2; 0.01 to 40.95 in steps of 0.01 in version 3.",
    )
    nopreempt: bool = Field(
        default=False, description="Leave the address with a lower priority that has it (beside `state BACKUP`)."
    )
    preempt_delay: float | None = Field(
        default=None, ge=0, le=1000, description="Seconds to wait before it is taken from one (beside `state BACKUP`)."
    )
    garp_master_delay: int | None = Field(
        default=None,
        ge=0,
        le=60,
        description="Seconds to the second burst of announcements (gratuitous ARP, or ND); 0 for none.",
    )
    garp_master_repeat: int | None = Field(default=None, ge=1, le=100, description="Announcements of a burst.")
    garp_master_refresh: int | None = Field(
        default=None, ge=0, le=600, description="Seconds from one refreshing announcement to the next; 0 for none."
    )
    garp_master_refresh_repeat: int | None = Field(
        default=None, ge=1, le=100, description="Announcements of a refreshing burst."
    )
    authentication: Authentication | None = Field(
        default=None, description="Version 2 only: `{auth_type: PASS, auth_pass: WORD}`."
    )
    unicast: bool = Field(
        default=False, description="Whether adverts go to the other hosts' addresses: `unicast_src_ip`, `unicast_peer`."
    )
    use_vmac: bool = Field(
        default=False, description="Whether the addresses of the adverts' own interface have the virtual MAC."
    )
    vrrp_script: dict[_Name, Script] = Field(
        default={}, description="Scripts by name: `script`, `interval`, `timeout`, `weight`, `rise`, `fall`."
    )
    vrrp_track_file: dict[_Name, File] = Field(default={}, description="Files by name: `file`, `weight`.")
    track_interface: list[str] = Field(default=[], description="Interfaces whose loss puts the instance into FAULT.")
    track_script: list[_Tracked] = Field(default=[], description="Scripts whose failure does, or changes the priority.")
    track_file: list[_Tracked] = Field(default=[], description="Files whose number changes the priority.")
    virtual_ipaddress: AddressLines = Field(
        default=["192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0"],
        min_length=1,
        description="The virtual addresses: a line of keepalived.conf, or a list; `192.168.122.51-99/24 dev eth1` is "
        "a line for each. The client asks the first, and at the end all. Of IPv6, with `version: 3`, the first is to "
        "be link-local (RFC 9568, section 5.2.9), and the client asks the first that is not: "
        "`[fe80::50/64 dev eth1, fd00:122::50/64 dev eth1]`.",
    )
    virtual_ipaddress_excluded: AddressLines = Field(
        default=[], description="Addresses that come and go with the others, and are in no advert."
    )
    vrrp_instance: dict[_Name, Instance] = Field(
        default={},
        description="Further instances by name: `virtual_router_id`, `virtual_ipaddress`, and, where they differ from "
        "those left out, `interface`, `version`, `track_interface`, `virtual_ipaddress_excluded`; what else is said "
        "here holds for them too. The client asks the first instance, which stands here, and at the end all addresses.",
    )
    vrrp_sync_group: dict[_Name, Annotated[list[_Name], Field(min_length=1)]] = Field(
        default={}, description="Groups by name: the names of the instances that change state together."
    )

    @property
    def members(self) -> list[str]:
        """The further instances that change state with the first."""
        groups = (group for group in self.vrrp_sync_group.values() if self.name in group)
        return [name for group in groups for name in group if name in self.vrrp_instance]

    @property
    def advertised(self) -> list[str]:
        """Every virtual address that is in adverts."""
        return [str(_interface(line).ip) for line in self.virtual_ipaddress]

    @property
    def vip_interface(self) -> str:
        """The interface that the virtual address is put on which the client asks."""
        words = self._asked_line.split()
        return words[words.index("dev") + 1] if "dev" in words[:-1] else self.interface

    @property
    def families(self) -> set[AddressFamily]:
        """Those of all instances."""
        return {self.family, *(one.family for one in self.vrrp_instance.values())}

    @property
    def asked(self) -> dict[str, Any]:
        """Each keyword that is not left at its default."""
        return {name: value for name, value in self if value != type(self).model_fields[name].default}

    @model_validator(mode="after")
    def _each_address_once(self) -> Vrrp:
        if twice := [vip for vip, times in Counter(self.vips).items() if times > 1]:
            raise ValueError(f"the virtual address {twice[0]} is there more than once; leave one out")
        return self

    @model_validator(mode="after")
    def _instances_that_are_there(self) -> Vrrp:
        if self.name in self.vrrp_instance:
            raise ValueError(f"vrrp_instance: {self.name} is the first instance; name this one otherwise")
        there = [self.name, *self.vrrp_instance]
        for group, members in self.vrrp_sync_group.items():
            if missing := [name for name in members if name not in there]:
                raise ValueError(f"vrrp_sync_group: {group}: no instance {missing[0]}; there are: {', '.join(there)}")
        # The same number is another virtual router's in the other family (RFC 9568, section 5.2.3).
        numbers = {(self.interface, self.virtual_router_id, self.family): self.name}
        for name, one in self.vrrp_instance.items():
            if (other := numbers.setdefault((one.interface, one.virtual_router_id, one.family), name)) != name:
                raise ValueError(f"vrrp_instance: {name} has the virtual_router_id of {other}; take another")
        return self

    @model_validator(mode="after")
    def _of_one_family(self) -> Vrrp:
        self._check_family("", self.version)
        for name, one in self.vrrp_instance.items():
            one._check_family(f"vrrp_instance: {name}: ", one.version or self.version)
        if self.unicast and IPV6 in self.families:
            raise ValueError("unicast: there are addresses of IPv4 only for that; leave it out")
        return self

    @model_validator(mode="after")
    def _tracks_what_there_is(self) -> Vrrp:
        for keyword, tracked, there in (
            ("track_script", self.track_script, self.vrrp_script),
            ("track_file", self.track_file, self.vrrp_track_file),
        ):
            for line in tracked:
                if (name := line.partition(" ")[0]) not in there:
                    raise ValueError(f"{keyword}: {name!r} is not defined; there are: {', '.join(there) or 'none'}")
        if self.authentication is not None and self.version == 3:
            raise ValueError("authentication: version 3 has none; leave it out")
        return self

    @model_validator(mode="after")
    def _interval_of_its_version(self) -> Vrrp:
        centiseconds = round(self.advert_int * 100)
        if self.version == 2 and centiseconds % 100:
            raise ValueError(f"advert_int: version 2 has whole seconds, not {self.advert_int:g}; add `version: 3`")
        if abs(self.advert_int * 100 - centiseconds) > 1e-6:
            raise ValueError(f"advert_int: version 3 has steps of 0.01 s, and {self.advert_int:g} is none")
        if self.version == 3 and self.advert_int > 40.95:
            raise ValueError(f"advert_int: version 3 has 40.95 s at most, not {self.advert_int:g}")
        return self
