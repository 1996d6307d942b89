"""Faults of the client and of its own wire."""

from __future__ import annotations

from viplab.faults.injection import AtClient, OnBridge
from viplab.faults.kind import Effect, FaultKind, Sign
from viplab.faults.target import ArpRate, ClientTarget, Lasting

KINDS = (
    # What the client's own end sends is dropped, behind the capture: the probe's requests are seen to go unanswered,
    # and neither the interconnect nor the owner census, no carrier and no address is touched. Nobody takes over, so the
    # outage is the cut and nothing else.
    FaultKind(
        name="cut",
        sentence=(
            "The public bridge's ports to the hosts are blocked for exactly that long: a known outage for the client."
        ),
        words="client cut off",
        healed="client connected again",
        target=ClientTarget,
        injection=OnBridge("public", {"output": lambda target, wires: f"oifname {wires.among()}"}),
        signs=(Sign.HEALED, Sign.REQUESTS, Sign.FRAMES_DROPPED),
        effect=Effect.CLIENT_CUT,
    ),
    FaultKind(
        name="announcements_lost",
        sentence="No announcement of the VIP reaches the client's kernel: no gratuitous ARP, over IPv6 no unsolicited "
        "neighbour advertisement; all else does.",
        words="announcements of the VIP withheld from the client",
        healed="announcements of the VIP let through to the client",
        target=Lasting,
        injection=AtClient(lambda target, wires: wires.router.family.nft_announcement(wires.router.vip)),
        signs=(Sign.FRAMES_DROPPED,),
        client_told=False,
    ),
    FaultKind(
        name="announcements_limited",
        sentence="The client's kernel takes no more than so many frames of ARP a second, over IPv6 of neighbour "
        "advertisements.",
        words="announcements to the client rationed",
        healed="announcements to the client no longer rationed",
        target=ArpRate,
        injection=AtClient(
            lambda target, wires: f"{wires.router.family.nft_resolution} limit rate over {target.rate}/second"
        ),
        signs=(Sign.HEALED,),
    ),
)
