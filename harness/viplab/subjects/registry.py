"""The subjects by name: those of this package, and those that other distributions bring by entry point."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint

from viplab.errors import InputError
from viplab.plugins import brought, loading
from viplab.subjects.assignment import Assignment
from viplab.subjects.family import Family
from viplab.subjects.subject import Subject
from viplab.types import HostName

GROUP = "viplab.subjects"
DEFAULT = "vipd"
_EVERY = ""
# Not by entry points of their own, so that a checkout that nobody installed has them.
_OWN = {"vipd": "Vipd", "keepalived": "Keepalived", "frr": "Frr", "ucarp": "Ucarp", "pacemaker": "Pacemaker"}


def names() -> list[str]:
    """What `--subject` may be; no plug-in is loaded for it."""
    return [*_OWN, *sorted(_plug_ins().keys() - _OWN.keys())]


def subject(name: str, profile: str | None = None) -> Subject:
    """The subject of that name under that profile, or its default one; `[LABEL=]NAME[@BUILD]` names a build of it.

    Raises:
        InputError: there is no such subject, profile or build.
        HostError: the distribution that brings it is broken.
    """
    label, name, source = _parts(name)
    kind = _kind(name)
    return kind(profile, label, None if source is None else kind.build_of(source))


def assignment(name: str, profile: str | None = None) -> Assignment:
    """The subject of that name on every host, or one on each host: `A=keepalived,B=vipd`, and so the profile.

    Raises:
        InputError: there is no such subject or profile, or it is not well said which host runs what.
        HostError: the distribution that brings one is broken.
    """
    names, profiles = _by_host(name), _by_host(profile) if profile else {}
    return _assignment({host: subject(one, profiles.get(host, profiles.get(_EVERY))) for host, one in names.items()})


def chosen(wanted: list[str], profile: str | None) -> list[Assignment]:
    """Several assignments; a profile is for those of their subjects that have it.

    Raises:
        InputError: there is no such subject, none has that profile, or it is not well said which host runs what.
        HostError: a distribution that brings one is broken.
    """
    named = [_by_host(one) for one in wanted]
    profiles = {
        kind: [family.name for family in kind.profiles]
        for one in named
        for kind in (_kind(_parts(name)[1]) for name in one.values())
    }
    if profile is not None and not any(profile in there for there in profiles.values()):
        listed = "; ".join(f"{kind.name} has {', '.join(there)}" for kind, there in profiles.items())
        raise InputError(f"--profile: none of these subjects has {profile!r}: {listed}")
    found = [
        _assignment(
            {
                host: subject(name, profile if profile in profiles[_kind(_parts(name)[1])] else None)
                for host, name in one.items()
            }
        )
        for one in named
    ]
    for number, one in enumerate(found):
        if any((one.name, one.profile) == (other.name, other.profile) for other in found[:number]):
            raise InputError(f"--subject: {one.name} is named twice; give each a label of its own, as in old=NAME")
    return found


def _by_host(text: str) -> dict[HostName, str]:
    """What is said for each host, or once for every one."""
    if not re.match("[A-Za-z]?=", text):
        return {_EVERY: text}
    parts = [part.partition("=")[::2] for part in text.split(",")]
    found = dict(parts)
    if len(found) < len(parts) or not all(re.fullmatch("[A-Z]", host) and word for host, word in parts):
        raise InputError(f"{text!r}: say of each host once what it runs, as in A=keepalived,B=vipd; a label is longer")
    return found


def _parts(text: str) -> tuple[str | None, str, str | None]:
    """Label, name and build of `[LABEL=]NAME[@BUILD]`.

    Raises:
        InputError: it is not said like that.
    """
    match = re.fullmatch(r"(?:([a-z0-9][a-z0-9._-]+)=)?([^@=]+)(?:@(.+))?", text)
    if match is None:
        raise InputError(
            f"{text!r}: say [LABEL=]NAME[@BUILD], as in old=keepalived@./old.deb; a label is two or more of a-z 0-9 ._-"
        )
    return match[1], match[2], match[3]


def _assignment(subjects: dict[HostName, Subject]) -> Assignment:
    return Assignment(subjects.get(_EVERY) or subjects)


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
