"""The virtual router that a scenario asks for: each field is a keyword of keepalived.conf, in the order of that file.

What is written of it (`viplab.subjects.keepalived_conf`), the schema of a scenario file and the table in
docs/scenarios.md are made of these fields: a keyword more is a field more.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


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
            ipaddress.IPv4Interface((line.split() or [""])[0])
    return lines


_RANGE = re.compile(r"(?P<before>(?:\d{1,3}\.){3})(?P<first>\d{1,3})-(?P<last>\d{1,3})(?P<after>(?:[/ ].*)?)")
_LAST = 254
_MOST = 255
"""Addresses that an advert can count."""
AddressLines = Annotated[
    list[str], BeforeValidator(_lines, json_schema_input_type=str | list[str]), Field(max_length=_MOST)
]


class Vrrp(Strict):
    """The virtual router that the hosts are configured with; names are keepalived's."""

    interface: str = Field(default="eth0", description="Interface that the adverts travel on (the interconnect).")
    virtual_router_id: int = Field(default=51, ge=1, le=255, description="Number of the virtual router.")
    version: Literal[2, 3] = Field(default=2, description="Version of VRRP.")
    advert_int: float = Field(
        default=1,
        ge=0.01,
        le=255,
        description="Seconds between adverts: whole ones in version 2; 0.01 to 40.95 in steps of 0.01 in version 3.",
    )
    track_interface: list[str] = Field(default=[], description="Interfaces whose loss puts the instance into FAULT.")
    virtual_ipaddress: AddressLines = Field(
        default=["192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0"],
        min_length=1,
        description="The virtual addresses: a line of keepalived.conf, or a list; `192.168.122.51-99/24 dev eth1` is "
        "a line for each. The client asks the first, and at the end all.",
    )
    virtual_ipaddress_excluded: AddressLines = Field(
        default=[], description="Addresses that come and go with the others, and are in no advert."
    )

    @property
    def vip(self) -> str:
        """The first virtual address alone, such as `192.168.122.50`."""
        return self.vips[0]

    @property
    def vips(self) -> list[str]:
        """Every virtual address."""
        lines = (*self.virtual_ipaddress, *self.virtual_ipaddress_excluded)
        return [line.split()[0].partition("/")[0] for line in lines]

    @property
    def vip_interface(self) -> str:
        """The interface that the first virtual address is put on."""
        words = self.virtual_ipaddress[0].split()
        return words[words.index("dev") + 1] if "dev" in words[:-1] else self.interface

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
    def _interval_of_its_version(self) -> Vrrp:
        centiseconds = round(self.advert_int * 100)
        if self.version == 2 and centiseconds % 100:
            raise ValueError(f"advert_int: version 2 has whole seconds, not {self.advert_int:g}; add `version: 3`")
        if abs(self.advert_int * 100 - centiseconds) > 1e-6:
            raise ValueError(f"advert_int: version 3 has steps of 0.01 s, and {self.advert_int:g} is none")
        if self.version == 3 and self.advert_int > 40.95:
            raise ValueError(f"advert_int: version 3 has 40.95 s at most, not {self.advert_int:g}")
        return self
