"""Faults of a host's interface."""

from __future__ import annotations

from viplab.faults.injection import InGuest, OnGuest
from viplab.faults.kind import Change, Effect, FaultKind, Part, Sign
from viplab.faults.target import LastingLinkTarget, LinkTarget

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
    FaultKind(
        name="link_flap",
        sentence="`ifconfig IFACE down`, and up again after its time.",
        words="link of {host} down for a time",
        healed="link of {host} up again",
        state="link down",
        target=LastingLinkTarget,
        injection=InGuest(
            lambda target, subject, guest: f"ifconfig {target.interface} down",
            heal=lambda target, subject, guest: f"ifconfig {target.interface} up",
        ),
        signs=(Sign.COMMAND, Sign.HEALED),
        part=Part.LINK,
    ),
    FaultKind(
        name="carrier_lost",
        sentence="The cable is pulled: the card loses its carrier, and nobody in the host did anything.",
        words="cable of {host} pulled",
        healed="cable of {host} back in",
        state="no carrier",
        target=LastingLinkTarget,
        injection=OnGuest(
            lambda target, guest: guest.set_carrier(target.interface, present=False),
            heal=lambda target, guest: guest.set_carrier(target.interface, present=True),
        ),
        signs=(Sign.COMMAND, Sign.HEALED),
        part=Part.LINK,
    ),
)
