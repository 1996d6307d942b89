"""What the bench figure needs to know: stations, networks, and who held the address at the outset."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from viplab.analysis.views import RunView, TrialView
from viplab.types import HostName, NodeTimers, Station


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
    hosts: dict[HostName, Station | None]
    nodes: dict[HostName, NodeTimers]
    holder: str | None
    """Host that held the address when the measured part began."""

    @property
    def words(self) -> str:
        """The figure in one paragraph, for those who do not see it."""
        holder = f"At the outset {self.holder} holds it." if self.holder else "Who held it first was not measured."
        return (
            f"The client and the hosts A and B are on the public network, the bridge {self.bridge}. A and B also "
            f"share the interconnect, which carries the VRRP adverts. The virtual address is {self.vip}. {holder}"
        )


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
        hosts={"A": stations.get("A"), "B": stations.get("B")},
        nodes=trial.info.nodes,
        holder=_holder(trial),
    )


def _holder(trial: TrialView) -> str | None:
    """The first sole owner that was seen."""
    for lane in trial.swim_lanes:
        if lane.name == "owners":
            return next((item.label for item in lane.intervals if item.label in ("A", "B")), None)
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
