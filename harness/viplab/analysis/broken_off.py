"""What breaks a trial off, and what only ends its steps: a daemon that did not do its part in time."""

from __future__ import annotations

from collections.abc import Sequence

from viplab.types import Event


def broken_off(events: Sequence[Event]) -> str | None:
    """What broke a trial off, None where nothing did.

    Where the steps ended because the subject did not do its part in time, that is what was measured.
    """
    missed = {missed_words(event) for event in events if event.event == "missed"}
    said = (event.get("message") for event in events if event.event == "error")
    return next((str(message) for message in said if message not in missed), None)


def missed_words(event: Event) -> str:
    """What an event `missed` says: a host did not do in time what was waited for."""
    return f"waited {event.get('within_s'):g} s for {event.get('what')}, in vain"
