"""The log of one router: the message that its profile has for an event, filled in, and limited in its rate."""

from __future__ import annotations

from collections.abc import Mapping

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import RouterConfig
from vipd.protocol.effects import Log
from vipd.protocol.log_messages import LogEvent, LogMessage
from vipd.protocol.packet import Origin
from vipd.protocol.rate_limit import RateLimit
from vipd.protocol.validation import Remark

# What a packet can cause, and how many such lines are logged in what time; keepalived logs every one.
_RATE_LIMITS: dict[LogEvent | Remark, tuple[int, int]] = {
    LogEvent.DISCARDED: (1, 10 * SECOND_NS),
    LogEvent.LOWER_DISCARDED: (10, 10 * SECOND_NS),
    LogEvent.LOWER_ANSWERED: (10, 10 * SECOND_NS),
    LogEvent.ZERO_RECEIVED: (10, 10 * SECOND_NS),
    # Changes of state that adverts alone bring about, with what belongs to them; 1.2.2 changes to and fro with each.
    **dict.fromkeys(
        (
            LogEvent.LOWER_ELECTS,
            LogEvent.TRANSITION,
            LogEvent.HIGHER_RECEIVED,
            LogEvent.TIE_LOST,
            LogEvent.ENTERING_BACKUP,
            LogEvent.ENTERING_MASTER,
        ),
        (20, 10 * SECOND_NS),
    ),
    # Of each kind: what there is to remark on is so in every advert.
    **dict.fromkeys(Remark, (1, 600 * SECOND_NS)),
}


class RouterLog:
    """Makes the lines of one router."""

    __slots__ = ("_config", "_detail", "_messages", "_rate_limits")

    def __init__(self, config: RouterConfig, messages: Mapping[LogEvent, LogMessage], detail: bool) -> None:
        self._config = config
        self._messages = messages
        self._detail = detail
        self._rate_limits: dict[LogEvent | Remark, RateLimit] = {}

    def unused(self) -> RouterLog:
        """One that makes the same lines, none of which it has been asked for yet."""
        return RouterLog(self._config, self._messages, self._detail)

    def allows(self, event: LogEvent | Remark, now: int) -> bool:
        """Whether this may be logged once more now; what no packet can cause always may."""
        kept = self._rate_limits.get(event)
        if kept is None:
            if event not in _RATE_LIMITS:
                return True
            kept = self._rate_limits[event] = RateLimit(*_RATE_LIMITS[event])
        return kept.allows(now)

    def message(
        self, event: LogEvent, ours: int, heard: int | None, source: int, more: Mapping[str, str]
    ) -> Log | None:
        """The log line for an event; None if the profile logs nothing for it, or only with `-D`.

        Args:
            event: what happened.
            ours: the router's priority.
            heard: the priority of the last advert.
            source: address that the packet came from, as an integer.
            more: further fields of the template.
        """
        message = self._messages.get(event)
        if message is None or (message.detail and not self._detail):
            return None
        fields: dict[str, object] = {
            "name": self._config.name,
            "ours": ours,
            "priority": heard,
            "source": Origin(source, self._config.family),
            **more,
        }
        return Log(message, fields)
