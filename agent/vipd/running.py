"""What runs now: the configuration in force, its routers and its sync groups. A reload replaces all three."""

from __future__ import annotations

from vipd.behaviour import Behaviour
from vipd.config import Config
from vipd.groups import Group
from vipd.router import Router


class Running:
    """What the parts of the shell have in common.

    Attributes:
        config: that is in force.
        behaviour: the profile.
        routers: by name.
        groups: none before the daemon has started.
        since: when each router last changed its state, in seconds of the real time, and why, in RFC 8347's words.
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
        self.began = began
