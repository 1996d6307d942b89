"""Faults of a host's system: too little time, another time, too few descriptors, an address that is gone."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from viplab.faults.injection import InGuest
from viplab.faults.kind import FaultKind, Need, Part, Sign
from viplab.faults.shell import to_each
from viplab.faults.target import AddressTarget, ClockStep, Descriptors, FileTarget, Load

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.subjects.subject import Subject

_LOAD = "viplab-load"
_LONGEST_S = 600


def _load(target: Load, subject: Subject, guest: Guest) -> str:
    """Loops that end by themselves, whatever becomes of whoever should end them."""
    loop = f"exec -a {_LOAD} timeout {_LONGEST_S} sh -c 'while :; do :; done'"
    return f"for n in $(seq {target.processes}); do ( {loop} ) >/dev/null 2>&1 & done"


def _clock_set(seconds: int) -> str:
    """By date's own sum: what a shell adds up has lost the fraction of a second."""
    return f"date -u -s '{seconds:+d} seconds' >/dev/null"


# No fewer: a daemon that ran out of them can still wait for those that it has, and poll(2) refuses more than the limit.
_OPEN = "$(ls /proc/$pid/fd | wc -l)"


def _limit(subject: Subject, guest: Guest, limit: str) -> str:
    """As the account that the daemon has: root may not everywhere, as in a container without CAP_SYS_RESOURCE."""
    uid, gid = (f"$(awk '/^{which}:/ {{print $2}}' /proc/$pid/status)" for which in ("Uid", "Gid"))
    account = f"setpriv --reuid {uid} --regid {gid} --clear-groups"
    return to_each(subject, guest, f"{account} prlimit --pid $pid --nofile={limit}")


def _removal(target: AddressTarget, subject: Subject, guest: Guest) -> str:
    """Wherever it is: a daemon with a virtual MAC has the VIP on a macvlan over the card, and may have it as a /32."""
    alone = _address(target, guest).partition("/")[0]
    return f"found=$(ip -o address show to {alone} | awk '{{print $4, \"dev\", $2}}'); ip address del $found"


def _written(target: FileTarget, subject: Subject, guest: Guest) -> str:
    return f"echo {shlex.quote(target.text)} >{target.path}"


def _address(target: AddressTarget, guest: Guest) -> str:
    return target.address or guest.host.interface(target.interface).ip


KINDS = (
    FaultKind(
        name="processors_busy",
        sentence="So many loops keep the host's processors busy.",
        words="processors of {host} kept busy",
        healed="processors of {host} left alone",
        state="busy",
        target=Load,
        injection=InGuest(_load, heal=lambda target, subject, guest: f"pkill -f {_LOAD}"),
        signs=(Sign.COMMAND,),
        part=Part.HOST,
        needs=frozenset({Need.MACHINES}),
    ),
    FaultKind(
        name="clock_stepped",
        sentence="The host's wall clock is set forward, or back, by so many seconds; healing sets it back.",
        words="clock of {host} stepped",
        healed="clock of {host} stepped back",
        state="clock stepped",
        target=ClockStep,
        injection=InGuest(
            lambda target, subject, guest: _clock_set(target.seconds),
            heal=lambda target, subject, guest: _clock_set(-target.seconds),
        ),
        signs=(Sign.COMMAND,),
        part=Part.HOST,
        needs=frozenset({Need.CLOCKS}),
    ),
    FaultKind(
        name="descriptors_out",
        sentence="The daemon may open no file more: its limit is set to what it has open.",
        words="descriptors of the daemon on {host} run out",
        healed="descriptors of the daemon on {host} granted again",
        state="no descriptors",
        target=Descriptors,
        injection=InGuest(
            lambda target, subject, guest: _limit(subject, guest, f"{target.limit or _OPEN}:"),
            heal=lambda target, subject, guest: _limit(subject, guest, "1024:"),
        ),
        signs=(Sign.COMMAND,),
        part=Part.DAEMON,
    ),
    FaultKind(
        name="address_removed",
        sentence="Somebody takes an address off a card: the VIP, or the host's own where none is named.",
        words="address taken off {host}",
        healed="address put back on {host}",
        state="address gone",
        target=AddressTarget,
        injection=InGuest(
            _removal,
            heal=lambda target, subject, guest: (
                f"ip address replace {_address(target, guest)} broadcast + dev {target.interface}"
            ),
        ),
        signs=(Sign.COMMAND,),
        part=Part.LINK,
    ),
    FaultKind(
        name="file_written",
        sentence="A file is written that a script or the daemon looks at; healing removes it.",
        words="file written on {host}",
        healed="file removed on {host}",
        state="file there",
        target=FileTarget,
        injection=InGuest(_written, heal=lambda target, subject, guest: f"rm -f {target.path}"),
        signs=(Sign.COMMAND,),
        part=Part.HOST,
    ),
)
