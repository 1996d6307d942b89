"""Faults of a whole host."""

from __future__ import annotations

from viplab.faults.injection import InGuest, OnGuest
from viplab.faults.kind import Change, Effect, FaultKind, Manner, Need, Part, Sign
from viplab.faults.target import HostTarget, LastingHostTarget

KINDS = (
    FaultKind(
        name="power_cut",
        sentence="The guest is destroyed; nothing in it gets to clean up.",
        words="power of {host} cut",
        state="power cut",
        target=HostTarget,
        injection=OnGuest(lambda target, guest: guest.power_cut()),
        signs=(Sign.ADVERTS_END,),
        effect=Effect.HOST_LOST,
        part=Part.HOST,
        change=Change.ENDS,
    ),
    FaultKind(
        name="shutdown",
        sentence="The guest is shut down in an orderly way.",
        words="{host} shut down",
        state="shut down",
        target=HostTarget,
        # Answered before the connection goes: the order to shut down is the fault, not its end.
        injection=InGuest(lambda target, subject, guest: guest.shutdown_command, answers=False),
        signs=(Sign.ADVERTS_END,),
        effect=Effect.GIVES_UP,
        part=Part.HOST,
        change=Change.ENDS,
        manner=Manner.LATER,
    ),
    FaultKind(
        name="pause",
        sentence="The guest stands still, as with `virsh suspend`, and goes on when it is healed.",
        words="{host} paused",
        healed="{host} goes on",
        state="paused",
        target=LastingHostTarget,
        injection=OnGuest(lambda target, guest: guest.pause(), heal=lambda target, guest: guest.resume()),
        signs=(Sign.HEALED,),
        part=Part.HOST,
        needs=frozenset({Need.MACHINES}),
    ),
)
