"""What a scenario gives to a fault: the models of its steps' arguments."""

from __future__ import annotations

from typing import Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, model_validator

from viplab.types import HostName, NetworkName


class Target(BaseModel):
    """What a fault is done to and how; a model of a kind's own adds fields to one of those below.

    Fields that mean the same to every kind: `host`, the host that it strikes; `place`, where in the advert interval;
    `duration_ms`, after which it is healed (without, it lasts until the trial's end if it can be healed at all).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class HostTarget(Target):
    """A fault on a host, at a place within the advert interval."""

    host: HostName
    place: float | None = Field(
        default=None,
        ge=0,
        lt=1,
        # Scenarios written before November 2026 say `phase`.
        validation_alias=AliasChoices("place", "phase"),
        description="Where within the advert interval the fault strikes, 0 just after an advert; drawn if left out.",
    )


class LinkTarget(HostTarget):
    """A fault on one interface of a host."""

    interface: str = "eth1"


class Lasting(Target):
    """A fault that can end by itself, and come again."""

    duration_ms: int | None = Field(
        default=None,
        gt=0,
        le=600_000,
        description="Milliseconds after which it is healed; left out, by a step `heal` or with the trial's end.",
    )
    repeat: int = Field(default=1, ge=1, le=32, description="How often it strikes.")
    interval_ms: int | None = Field(
        default=None, gt=0, le=600_000, description="Milliseconds from one strike to the next, where it is repeated."
    )

    @model_validator(mode="after")
    def _ends_before_it_comes_again(self) -> Self:
        if (self.repeat > 1) != (self.interval_ms is not None):
            raise ValueError("repeat and interval_ms: both or neither")
        if self.interval_ms is not None and (self.duration_ms is None or self.duration_ms >= self.interval_ms):
            raise ValueError("duration_ms: has to be shorter than interval_ms where a fault is repeated")
        return self


class LastingHostTarget(HostTarget, Lasting):
    """A fault on a host that can end by itself."""


class LastingLinkTarget(LinkTarget, Lasting):
    """A fault on one interface of a host that can end by itself."""


class NetworkTarget(Lasting):
    """A fault of a network between all hosts."""

    network: NetworkName = Field(default="interconnect", description="`interconnect`, `public` or `mgmt`.")


class AdvertLoss(LastingHostTarget):
    """How many of a host's adverts are lost."""

    share: float = Field(default=1, gt=0, le=1, description="Of the adverts; which ones follows from the seed.")


class ArpRate(Lasting):
    """How many announcements get through."""

    rate: int = Field(ge=1, le=1000, description="Frames a second.")


class ForeignAdvert(Lasting):
    """What a stranger advertises."""

    priority: int = Field(default=255, ge=0, le=255)
    ttl: int = Field(default=255, ge=1, le=255, description="Anything but 255 came through a router, or is forged.")
    virtual_router_id: int | None = Field(default=None, ge=1, le=255, description="The pair's own if left out.")
    rate: int = Field(default=1, ge=1, le=10_000, description="Frames a second.")


class Spoof(Lasting):
    """How often a stranger announces the VIP."""

    rate: int = Field(default=1, ge=1, le=1000, description="Frames a second.")


class Load(LastingHostTarget):
    """How many loops run."""

    processes: int = Field(default=2, ge=1, le=64)


class ClockStep(LastingHostTarget):
    """How far a clock is set."""

    seconds: int = Field(ge=-86_400, le=86_400, description="Forward; back where negative.")


class Descriptors(LastingHostTarget):
    """How many files the daemon may have open."""

    limit: int | None = Field(
        default=None, ge=1, le=1024, description="As many as it has open if left out; those stay open."
    )


class AddressTarget(LastingLinkTarget):
    """Which address is taken away."""

    address: str | None = Field(
        default=None,
        pattern=r"^[0-9a-fA-F.:]{2,39}/[0-9]{1,3}$",
        description="With its prefix length; the card's own if left out.",
    )


class FileTarget(LastingHostTarget):
    """Which file is written, and what into it."""

    path: str = Field(
        default="/run/viplab-file", pattern=r"^/run/[A-Za-z0-9][A-Za-z0-9._-]*$", description="A file in /run."
    )
    text: str = Field(default="", pattern=r"^[ -~]*$", description="The line that it then has.")


class ReturnTarget(RootModel[HostName]):
    """The host that comes back."""

    model_config = ConfigDict(frozen=True)

    @property
    def host(self) -> HostName:
        """The host."""
        return self.root


class ClientTarget(Target):
    """How long the client hears nothing."""

    duration_ms: int = Field(gt=0, le=60_000)
