"""What daemons of one behaviour are expected to show, as data: analysis reads it, and no lab is needed for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from viplab.address_family import AddressFamily
from viplab.faults import Effect

BEGINS_WITHIN_INTERVALS = 1.25
"""In how many advert intervals one that announces first sends its first advert: the next one, and scheduling."""


@dataclass(frozen=True, slots=True)
class Terms:
    """An outage as a sum: so many down intervals, skew times and advert intervals of the host that takes over.

    Where nobody advertises it is one of timers that no scenario sets.
    """

    downs: int = 0
    skews: int = 0
    adverts: int = 0
    less_x: bool = False
    """Less x, the time from the last advert to the fault, for which the backup's timer had been running."""
    at_most: bool = False
    """The sum is the most: somebody may answer meanwhile, so that it is anything down to none."""
    fixed_s: tuple[float, float] = (0.0, 0.0)
    """The least and the most of such timers, in seconds."""


NONE = Terms()


@dataclass(frozen=True, slots=True)
class TimingModel:
    """When a family's backups take over, and how long nobody answers."""

    outage: Mapping[Effect, Terms]
    """What the client sees of each effect of a fault; of one that is left out nothing is predicted."""
    releases: bool = True
    """Whether a master that gives up says so; where it does not the others take it for lost."""
    announce_adverts: int = 0
    """First advert of the new master to its first gratuitous ARP, in advert intervals."""
    return_detection: Terms = Terms(downs=1)
    """How long a host that returns with the higher priority goes on as a backup."""
    member_lost: Terms | None = None
    """What the client sees where the adverts of another member of its sync group end; None where that is not known."""
    elected_return: Terms | None = None
    """What the client sees of one whose `state` is BACKUP, and that calls for an election first, where that differs."""
    held_back_s: float = 0.0
    """Seconds for which what is below the daemon may hold back a takeover: a link that comes up, a capture's buffer."""

    def missed(self, effect: Effect, state: str) -> Terms | None:
        """What the client sees where a host of this `state` takes over; None where nothing is predicted."""
        elected = self.elected_return if effect is Effect.RETURNS and state == "BACKUP" else None
        return elected or self.outage.get(effect)


@dataclass(frozen=True, slots=True)
class Family:
    """A behaviour, by the name that `trial.json` has in `family`."""

    name: str
    timing: TimingModel | None = None
    """Without one no outage is predicted, and a trial in which one should be is undecided."""
    log_prefix: str | None = None
    """A regular expression for what a log line begins with that is about a virtual router, not the whole daemon."""
    announces_first: tuple[AddressFamily, ...] = ()
    """Over which family of addresses a new master announces the VIP an interval before its first advert."""
    starts_processes: bool = False
    """Whether it moves the address by processes that it starts: their waits for a processor end with them."""
    garp_bursts: int = 1
    """How often a new master announces the VIP."""
    master_line: str | None = None
    """What it logs as it sends its first advert."""
    election_line: str | None = None
    """What it logs instead where it takes over from a master of a lower priority."""
    elects_at_start: bool = False
    """Whether `state MASTER` has it call for an election as it starts, whoever is master."""
    release_heard: str | None = None
    """What it logs, as a backup, for each advert of priority 0 that it hears."""

    def log_body(self, message: str) -> str:
        """A log message without that prefix."""
        return re.sub(f"^(?:{self.log_prefix})", "", message, count=1) if self.log_prefix else message
