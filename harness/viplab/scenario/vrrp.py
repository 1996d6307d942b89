"""The virtual router that a scenario asks for: each field is a keyword of keepalived.conf, in the order of that file.

What is written of it (`viplab.subjects.keepalived_conf`), the schema of a scenario file and the table in
docs/scenarios.md are made of these fields: a keyword more is a field more.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Strict(BaseModel):
    """A part of a scenario, which refuses unknown keys and is never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    virtual_ipaddress: str = Field(
        default="192.168.122.50/24 brd 192.168.122.255 dev eth1 label eth1:0",
        description="The VIP, as a line of keepalived.conf.",
    )

    @property
    def vip(self) -> str:
        """The virtual address alone, such as `192.168.122.50`."""
        return self.virtual_ipaddress.split()[0].partition("/")[0]

    @property
    def vip_interface(self) -> str:
        """The interface that the virtual address is put on."""
        words = self.virtual_ipaddress.split()
        return words[words.index("dev") + 1] if "dev" in words[:-1] else self.interface

    @property
    def asked(self) -> dict[str, Any]:
        """Each keyword that is not left at its default."""
        return {name: value for name, value in self if value != type(self).model_fields[name].default}

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
