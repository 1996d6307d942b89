"""Faults of the networks: frames that a bridge drops."""

from __future__ import annotations

from viplab.faults.injection import OnBridge
from viplab.faults.kind import Effect, FaultKind, Sign
from viplab.faults.target import ClientTarget

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
        injection=OnBridge("public", "output", lambda target, ports: f"oifname {{ {', '.join(ports)} }}"),
        signs=(Sign.HEALED, Sign.REQUESTS, Sign.FRAMES_DROPPED),
        effect=Effect.CLIENT_CUT,
    ),
)
