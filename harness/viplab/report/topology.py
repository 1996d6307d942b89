"""What the drawing of the bench needs to know: stations, networks, and who held the address at the outset."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from viplab.analysis.views import RunView, TrialView
from viplab.types import HostName, NodeTimers, Station

_BOX, _BETWEEN, _MARGIN = 220, 170, 40
"""Width of a host's box, the room between two, and beside the outer ones; in units of the figure."""


@dataclass(frozen=True)
class Bench:
    """The bench as one trial saw it; None stands for what its evidence does not tell."""

    vip: str
    bridge: str
    """The bridge that the public network is made of."""
    public: str | None
    """The public network's addresses."""
    virtual_router_id: int
    client: Station | None
    hosts: dict[HostName, Station]
    nodes: dict[HostName, NodeTimers]
    holder: str | None
    """Host that held the address when the measured part began."""

    @property
    def words(self) -> str:
        """The drawing in one paragraph, for those who do not see it."""
        holder = f"At the outset {self.holder} holds it." if self.holder else "Who held it first was not measured."
        return (
            f"The client and hosts {' and '.join(self.hosts)} are on the public network, the bridge {self.bridge}. "
            "They also share the interconnect, which carries what their daemons tell each other. "
            f"The virtual address is {self.vip}. {holder}"
        )

    @property
    def width(self) -> int:
        """The drawing's width in its own units."""
        return max(720, 2 * _MARGIN + len(self.hosts) * (_BOX + _BETWEEN) - _BETWEEN)

    @property
    def places(self) -> dict[HostName, int]:
        """Where each host's box begins: side by side, and with room for the VIP between those of a pair."""
        between = self.width - 2 * _MARGIN - len(self.hosts) * _BOX
        step = _BOX + between // max(1, len(self.hosts) - 1)
        return {host: _MARGIN + number * step for number, host in enumerate(self.hosts)}


def bench(view: RunView) -> Bench | None:
    """The bench of the run's first trial; None where there is no trial."""
    if not view.trials:
        return None
    trial = next((trial for trial in view.trials if _holder(trial)), view.trials[0])
    stations = trial.info.stations
    return Bench(
        vip=trial.info.vip,
        bridge=trial.info.bridges["public"],
        public=_network(trial),
        virtual_router_id=trial.info.virtual_router_id,
        client=stations.get("client"),
        hosts={host: stations[host] for host in trial.info.hosts},
        nodes=trial.info.nodes,
        holder=_holder(trial),
    )


def _holder(trial: TrialView) -> str | None:
    """The first sole owner that was seen."""
    for lane in trial.swim_lanes:
        if lane.name == "owners":
            return next((item.label for item in lane.intervals if item.label in trial.info.hosts), None)
    return None


def _network(trial: TrialView) -> str | None:
    """The public network, by the address with its prefix length as the configuration has it."""
    for text in (text for files in trial.config.values() for text in files.values()):
        match = re.search(rf"{re.escape(trial.info.vip)}/(\d{{1,2}})\b", text or "")
        if match and int(match[1]) <= 32:
            try:
                return str(ipaddress.ip_interface(f"{trial.info.vip}/{match[1]}").network)
            except ValueError:
                return None
    return None
