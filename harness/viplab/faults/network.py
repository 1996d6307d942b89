"""Faults of a network between the hosts: frames that its bridge does not pass on, while every carrier stays."""

from __future__ import annotations

from viplab.faults.injection import OnBridge, Wires
from viplab.faults.kind import FaultKind, Heard, Need, Part, Sign
from viplab.faults.target import AdvertLoss, LastingHostTarget, NetworkTarget

_DRAWN = 256
"""Adverts of which it is drawn beforehand whether they are lost; the next ones fare as these."""


def _adverts_of(target: AdvertLoss, wires: Wires) -> str:
    some = ""
    if target.share < 1:
        lost = wires.chance.sample(range(_DRAWN), max(1, round(target.share * _DRAWN)))
        some = f" numgen inc mod {_DRAWN} {{ {', '.join(map(str, sorted(lost)))} }}"
    return f"iifname {wires.ports[target.host]} meta l4proto 112{some}"


KINDS = (
    FaultKind(
        name="partition",
        sentence="A network passes nothing on between the hosts, in either direction; their carriers stay.",
        words="network between the hosts cut",
        healed="network between the hosts whole again",
        target=NetworkTarget,
        injection=OnBridge(
            None,
            {"forward": lambda target, wires: f"iifname {wires.among()} oifname {wires.among()}"},
            crossed=True,
        ),
        heard=Heard.NONE,
        signs=(Sign.FRAMES_DROPPED,),
    ),
    FaultKind(
        name="adverts_lost",
        sentence="Adverts of one host are lost on the interconnect, all of them or a share; others still reach it.",
        words="adverts of {host} lost on the way",
        healed="adverts of {host} get through again",
        state="adverts lost",
        target=AdvertLoss,
        injection=OnBridge(
            "interconnect",
            {"forward": _adverts_of},
        ),
        heard=Heard.UNKNOWN,
        signs=(Sign.FRAMES_DROPPED,),
        part=Part.LINK,
        needs=frozenset({Need.ADVERTS}),
    ),
    FaultKind(
        name="one_way",
        sentence="Nothing that a host sends on the interconnect arrives; it still hears the others.",
        words="{host} heard by nobody on the interconnect",
        healed="{host} heard again on the interconnect",
        state="heard by nobody",
        target=LastingHostTarget,
        injection=OnBridge("interconnect", {"forward": lambda target, wires: f"iifname {wires.ports[target.host]}"}),
        heard=Heard.NOT_FROM_IT,
        signs=(Sign.FRAMES_DROPPED,),
        part=Part.LINK,
    ),
)
