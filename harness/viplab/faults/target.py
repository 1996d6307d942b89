"""What a scenario gives to a fault: the models of its steps' arguments."""

from __future__ import annotations

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel

from viplab.types import HostName


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
