"""Faults of a switch's port to a host, done to the bridge on the bench's side: no lab needs netem for them."""

from __future__ import annotations

from viplab.faults.injection import OnBridge, OnPort
from viplab.faults.kind import FaultKind, Heard, Part, Sign
from viplab.faults.target import LastingLinkTarget

KINDS = (
    FaultKind(
        name="port_silent",
        sentence="The switch loses every frame from and to a host's card; its carrier stays.",
        words="port of {host} silent",
        healed="port of {host} passes frames again",
        state="port silent",
        target=LastingLinkTarget,
        # Before the bridge looks at what comes in, and behind all that it sends out.
        injection=OnBridge(
            None,
            {
                "prerouting": lambda target, wires: f"iifname {wires.ports[target.host]}",
                "postrouting": lambda target, wires: f"oifname {wires.ports[target.host]}",
            },
        ),
        heard=Heard.NONE,
        signs=(Sign.FRAMES_DROPPED,),
        part=Part.LINK,
    ),
    FaultKind(
        name="multicast_withheld",
        sentence="The switch does not flood multicast to a host's port (`mcast_flood off`).",
        words="multicast withheld from {host}",
        healed="multicast flooded to {host} again",
        state="no multicast",
        target=LastingLinkTarget,
        injection=OnPort({"mcast_flood": False}),
        heard=Heard.NOT_BY_IT,
        unicast_passes=True,
        signs=(Sign.PORT_SAYS,),
        part=Part.LINK,
    ),
    FaultKind(
        name="port_locked",
        sentence="The switch takes no frame at that port but from the card's own MAC (port security).",
        words="port of {host} locked",
        healed="port of {host} unlocked",
        state="port locked",
        target=LastingLinkTarget,
        injection=OnPort({"locked": True, "learning": False}, learned=True),
        # Those from the card's own MAC pass, those from a virtual one do not.
        heard=Heard.UNKNOWN,
        signs=(Sign.PORT_SAYS,),
        part=Part.LINK,
    ),
)
