"""A step of a scenario: its name and what it is given.

The bench's own steps are a table here; every kind of fault in `viplab.faults` is a step as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, create_model, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from viplab import faults
from viplab.errors import InputError
from viplab.services import SERVICES
from viplab.types import HostName

Seconds = Annotated[float, Field(gt=0, le=600)]
SetUpCheck = Literal["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10"]


class Wait(BaseModel):
    """What has to be seen before the next step; exactly one of the conditions, and a limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: HostName | None = Field(default=None, description="This host sends the adverts and has announced the VIP.")
    announced: HostName | None = Field(
        default=None,
        description="This host's last burst of announcements is out, so that nothing more is pending.",
    )
    pings: int | None = Field(default=None, ge=1, description="This many more echo requests of the 1 Hz ping are out.")
    within: Seconds = Field(
        default=20, description="Seconds after which the wait has failed (for pings: on top of one second each)."
    )

    @model_validator(mode="after")
    def _one_condition(self) -> Wait:
        if sum(value is not None for value in (self.master, self.announced, self.pings)) != 1:
            raise ValueError("name exactly one of master, announced, pings")
        return self


class Serve(BaseModel):
    """What is started on top of the virtual address, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Annotated[str, Field(json_schema_extra={"enum": sorted(SERVICES)})]
    host: HostName

    @model_validator(mode="after")
    def _known(self) -> Serve:
        if self.service not in SERVICES:
            raise ValueError(f"there is no service {self.service!r}; there are: {', '.join(SERVICES)}")
        return self


_OWN: dict[str, tuple[Any, str]] = {
    "start": (HostName, "Start the daemon."),
    "serve": (Serve, "Start a service on a host, and see whether it listens; where it does not, that is a result."),
    "observe": (Seconds, "Go on observing for so many seconds; nothing is waited for."),
    "ping": (Literal["start", "stop"], "The article's `ping VIP` on the client, once a second."),
    "wait": (Wait, "Wait until something has been seen."),
    "heal": (str, "Heal a fault that was given no duration, by its name; all of that kind, if there are several."),
    "check": (list[SetUpCheck], "Set-up checks, by the id of the claim that each decides."),
}


def steps() -> dict[str, tuple[Any, str]]:
    """Every step that there is: its name, the type of what it is given, and what it does.

    Raises:
        InputError: a kind of fault has the name of another step.
    """
    kinds = faults.known()
    if taken := _OWN.keys() & kinds.keys():
        raise InputError(f"fault kind {min(taken)!r} has the name of another step; it needs one of its own")
    return {**_OWN, **{name: (kind.target, kind.sentence) for name, kind in kinds.items()}}


@dataclass(frozen=True)
class Step:
    """One step; in a scenario it is a mapping with one key."""

    name: str
    argument: Any

    def __str__(self) -> str:
        """The step in words, close to how the scenario writes it."""
        given = self.argument
        if isinstance(given, BaseModel):
            given = given.model_dump(exclude_unset=True)
        if isinstance(given, dict):
            return f"{self.name}: {', '.join(f'{key} {value}' for key, value in given.items())}"
        return f"{self.name}: {', '.join(given) if isinstance(given, list) else given}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        """Validation looks the step up when it happens: the table of faults may have grown by then."""
        return core_schema.no_info_plain_validator_function(cls._read, ref="Step")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One of the steps, each with its sentence, so that an editor offers them."""
        return {"oneOf": [handler(_model(name, *what).__pydantic_core_schema__) for name, what in steps().items()]}

    @classmethod
    def _read(cls, value: Any) -> Step:
        known = steps()
        if not isinstance(value, dict) or len(value) != 1 or (name := next(iter(value))) not in known:
            raise PydanticCustomError(
                "unknown_step", "a step is a mapping with one key out of: {names}", {"names": ", ".join(known)}
            )
        # Its errors are passed on, each with its place within the step.
        return cls(name, getattr(_model(name, *known[name]).model_validate(value), name))


@cache
def _model(name: str, argument: Any, sentence: str) -> type[BaseModel]:
    title = "".join(part.capitalize() for part in name.split("_"))
    fields: dict[str, Any] = {name: (argument, ...)}
    return create_model(title, __config__=ConfigDict(extra="forbid"), __doc__=sentence, **fields)
