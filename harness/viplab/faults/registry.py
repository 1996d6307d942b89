"""The table itself: the kinds that come with viplab, then those that other packages bring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from viplab.errors import InputError
from viplab.faults import client, firewall, hostile, link, network, port, power, process, system
from viplab.faults.kind import FaultKind
from viplab.plugins import brought, loading

GROUP = "viplab.faults"
"""Entry points of this group name a `FaultKind`, or several of them in a row."""


_FAMILIES = (process, link, port, network, firewall, power, system, hostile, client)


class UnknownFaultError(InputError):
    """A scenario or a run folder names a kind that is not in the table."""


@cache
def _table() -> dict[str, FaultKind]:
    table: dict[str, FaultKind] = {}
    for kind in (kind for family in _FAMILIES for kind in family.KINDS):
        _add(table, kind)
    for point in brought(GROUP).values():
        with loading("fault kinds", point):
            for kind in _kinds(point.load()):
                _add(table, kind)
    return table


def _kinds(found: Any) -> Iterator[FaultKind]:
    for kind in found if isinstance(found, Iterable) else (found,):
        if not isinstance(kind, FaultKind):
            raise TypeError(f"{kind!r} is no FaultKind")
        yield kind


def known() -> Mapping[str, FaultKind]:
    """Every kind by its name; the first call loads what other packages bring.

    Raises:
        HostError: one of them does not load; the message names the package.
    """
    return MappingProxyType(_table())


def fault_kind(name: str) -> FaultKind:
    """The kind of that name.

    Raises:
        UnknownFaultError: there is none.
    """
    kind = _table().get(name)
    if kind is None:
        raise UnknownFaultError(
            f"fault kind {name!r} is not known here; install the package that brings it, or a newer viplab"
        )
    return kind


def register(kind: FaultKind) -> None:
    """Add a kind to the table of this process; a package uses an entry point instead.

    Raises:
        InputError: there is one of that name.
    """
    _add(_table(), kind)


def _add(table: dict[str, FaultKind], kind: FaultKind) -> None:
    if kind.name in table:
        raise InputError(f"fault kind {kind.name!r} is there twice; one of them needs another name")
    table[kind.name] = kind
