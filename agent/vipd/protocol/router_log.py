"""What one router says: the line that its voice has for a thing, filled in, and not as often as a flood would have."""

from __future__ import annotations

from collections.abc import Mapping

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import RouterConfig
from vipd.protocol.effects import Log
from vipd.protocol.log_messages import Line, Say
from vipd.protocol.packet import Origin
from vipd.protocol.rate_limit import Ration
from vipd.protocol.validation import Remark

# What a packet can cause, and how many such lines there are in what time; keepalived says every one.
_RATIONS: dict[Say | Remark, tuple[int, int]] = {
    Say.DISCARDED: (1, 10 * SECOND_NS),
    Say.LOWER_DISCARDED: (10, 10 * SECOND_NS),
    Say.LOWER_ANSWERED: (10, 10 * SECOND_NS),
    Say.ZERO_RECEIVED: (10, 10 * SECOND_NS),
    # Of each kind: what there is to remark on is so in every advert.
    **dict.fromkeys(Remark, (1, 600 * SECOND_NS)),
}


class Saying:
    """Makes the lines of one router."""

    __slots__ = ("_config", "_detail", "_rations", "_voice")

    def __init__(self, config: RouterConfig, voice: Mapping[Say, Line], detail: bool) -> None:
        self._config = config
        self._voice = voice
        self._detail = detail
        self._rations: dict[Say | Remark, Ration] = {}

    def allows(self, what: Say | Remark, now: int) -> bool:
        """Whether this may be said once more now; what no packet can cause always may."""
        kept = self._rations.get(what)
        if kept is None:
            if what not in _RATIONS:
                return True
            kept = self._rations[what] = Ration(*_RATIONS[what])
        return kept.allows(now)

    def line(self, what: Say, ours: int, heard: int | None, source: int, more: Mapping[str, str]) -> Log | None:
        """The line that says this, if there is one and it is wanted.

        Args:
            what: is said.
            ours: the router's priority.
            heard: the priority of the last advert.
            source: who the packet came from, as an integer.
            more: what else the line may name.
        """
        line = self._voice.get(what)
        if line is None or (line.detail and not self._detail):
            return None
        fields: dict[str, object] = {
            "name": self._config.name,
            "ours": ours,
            "priority": heard,
            "source": Origin(source, self._config.family),
            **more,
        }
        return Log(line, fields)
