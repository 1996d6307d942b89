"""Faults of a host's interface."""

from __future__ import annotations

from viplab.faults.injection import InGuest
from viplab.faults.kind import Change, Effect, FaultKind, Part, Sign
from viplab.faults.target import LinkTarget

KINDS = (
    FaultKind(
        name="link_down",
        sentence="`ifconfig IFACE down` in the guest.",
        words="link of {host} down",
        state="link down",
        target=LinkTarget,
        injection=InGuest(lambda target, subject, guest: f"ifconfig {target.interface} down"),
        signs=(Sign.COMMAND, Sign.ADVERTS_END),
        effect=Effect.GIVES_UP,
        part=Part.LINK,
        change=Change.ENDS,
    ),
    FaultKind(
        name="link_up",
        sentence="`ifconfig IFACE up` in the guest.",
        words="link of {host} up",
        state="daemon up",
        target=LinkTarget,
        injection=InGuest(lambda target, subject, guest: f"ifconfig {target.interface} up"),
        signs=(Sign.COMMAND,),
        effect=Effect.RETURNS,
        part=Part.LINK,
        change=Change.BEGINS,
    ),
)
