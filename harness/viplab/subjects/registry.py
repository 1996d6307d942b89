"""The subjects by name."""

from __future__ import annotations

from viplab.errors import InputError
from viplab.subjects.keepalived import Keepalived
from viplab.subjects.subject import Subject
from viplab.subjects.vipd import PROFILES, Vipd

NAMES = ("vipd", "keepalived")


def subject(name: str, profile: str = "keepalived-1.2.2") -> Subject:
    """The subject of that name; `profile` matters to vipd alone.

    Raises:
        InputError: there is no such subject or profile.
    """
    if name == "keepalived":
        return Keepalived()
    if name != "vipd":
        raise InputError(f"no subject {name!r}; there are: {', '.join(NAMES)}")
    if profile not in PROFILES:
        raise InputError(f"vipd has no profile {profile!r}; there are: {', '.join(PROFILES)}")
    return Vipd(profile)
