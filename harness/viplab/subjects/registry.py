"""The subjects by name: those of this package, and those that other distributions bring by entry point."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint

from viplab.errors import InputError
from viplab.plugins import brought, loading
from viplab.subjects.family import Family
from viplab.subjects.subject import Subject

GROUP = "viplab.subjects"
DEFAULT = "vipd"
# Not by entry points of their own, so that a checkout that nobody installed has them.
_OWN = {"vipd": "Vipd", "keepalived": "Keepalived", "frr": "Frr"}


def names() -> list[str]:
    """What `--subject` may be; no plug-in is loaded for it."""
    return [*_OWN, *sorted(_plug_ins().keys() - _OWN.keys())]


def subject(name: str, profile: str | None = None) -> Subject:
    """The subject of that name under that profile, or its default one.

    Raises:
        InputError: there is no such subject or profile.
        HostError: the distribution that brings it is broken.
    """
    return _kind(name)(profile)


def chosen(wanted: list[str], profile: str | None) -> list[Subject]:
    """Several subjects; a profile is for those of them that have it.

    Raises:
        InputError: there is no such subject, or none of them has that profile.
        HostError: a distribution that brings one is broken.
    """
    kinds = [_kind(name) for name in wanted]
    profiles = {kind: [family.name for family in kind.profiles] for kind in kinds}
    if profile is not None and not any(profile in there for there in profiles.values()):
        listed = "; ".join(f"{kind.name} has {', '.join(there)}" for kind, there in profiles.items())
        raise InputError(f"--profile: none of these subjects has {profile!r}: {listed}")
    return [kind(profile if profile in profiles[kind] else None) for kind in kinds]


def find_family(name: str, subject: str) -> Family:
    """The family that a trial names; `subject` is the one that was tested, whose plug-in may bring it.

    Raises:
        InputError: no subject that is installed here has it.
        HostError: the distribution that would have it is broken.
    """
    for kind in map(_kind, (*_OWN, *({subject} & _plug_ins().keys()))):
        for family in kind.profiles:
            if family.name == name:
                return family
    raise InputError(f"no subject that is installed here is of the family {name!r}")


@cache
def _plug_ins() -> dict[str, EntryPoint]:
    return brought(GROUP)


@cache
def _kind(name: str) -> type[Subject]:
    if name not in _OWN and name not in _plug_ins():
        raise InputError(f"no subject {name!r}; there are: {', '.join(names())}")
    if name in _OWN:
        return _subclass(getattr(import_module(f"viplab.subjects.{name}"), _OWN[name]))
    with loading("subject", _plug_ins()[name]):
        return _subclass(_plug_ins()[name].load())


def _subclass(found: object) -> type[Subject]:
    if not (isinstance(found, type) and issubclass(found, Subject)):
        raise TypeError(f"{found!r} is no subclass of viplab.subjects.subject.Subject")
    return found
