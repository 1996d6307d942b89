"""The configuration in force with its routers and sync groups. A reload replaces all three."""

from __future__ import annotations

from collections.abc import Mapping

from vipd.config.behaviour import Behaviour
from vipd.config.model import Config
from vipd.protocol.groups import Group
from vipd.protocol.router import Router
from vipd.protocol.table import Event, State

NEVER_MASTER = "not-master"
_INITIALIZE = (State.INITIALIZE, State.FAULT)  # RFC 8347 has one word for both


class Runtime:
    """The state that the parts of the daemon share.

    Attributes:
        config: that is in force.
        behaviour: the profile.
        routers: by name.
        groups: none before the daemon has started.
        since: when each router last changed its state, in seconds of the real time, and why it last became master, in
            RFC 8347's words.
        up: when each router that is not in RFC 8347's initialize left it, in seconds of the real time.
        began: when the daemon started, in seconds of the real time and of the monotonic clock.
    """

    def __init__(
        self, config: Config, behaviour: Behaviour, routers: dict[str, Router], began: tuple[float, float]
    ) -> None:
        self.config = config
        self.behaviour = behaviour
        self.routers = routers
        self.groups: list[Group] = []
        self.since: dict[str, tuple[float, str]] = {}
        self.up: dict[str, float] = {}
        self.began = began

    def rename(self, names: Mapping[str, str]) -> None:
        """A reload has given routers other names: what they were called, and what they are called now."""
        self.since = {names.get(name, name): since for name, since in self.since.items()}
        self.up = {names.get(name, name): up for name, up in self.up.items()}

    def record(self, router: Router, state: State, now_s: float) -> None:
        """Record a router's change of state."""
        name = router.config.name
        _, reason = self.since.get(name, (now_s, NEVER_MASTER))
        self.since[name] = now_s, _new_master_reason(router) if state is State.MASTER else reason
        if state in _INITIALIZE:
            self.up.pop(name, None)
        else:
            self.up.setdefault(name, now_s)


def _new_master_reason(router: Router) -> str:
    """Why a router became master: by its priority, over a master that still sent adverts, or because no advert came."""
    if router.last_event is not Event.TIMER_EXPIRED:
        return "priority"
    return "preempted" if router.last_advert_event in (Event.LOWER_RECEIVED, Event.TIE_WON) else "no-response"
