"""Reads the configuration of each node with vipd's parser, and finds the lines that a warning is about."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vipd.config.blocks import Statement, statements
from vipd.config.keywords import LVS
from vipd.config.model import Config, RouterConfig, Script
from vipd.config.parser import ConfigError, parse
from vipd.config.source import Source
from vipd.daemon.config_files import find
from viplab.errors import InputError
from viplab.keepalived_files import Place, read_text

_OCTETS = 4 << 20


@dataclass(frozen=True)
class Instance:
    """One `vrrp_instance` of one node: what it says, and where."""

    file: str
    router: RouterConfig
    head: Statement

    def statement(self, *keywords: str) -> Statement:
        """The last statement in it with one of these keywords, which is the one that counts; else its own."""
        found = [one for one in _within(self.head) if one.keyword in keywords]
        return found[-1] if found else self.head

    def at(self, *keywords: str) -> Place:
        """Where that statement is."""
        return _place(self.statement(*keywords))


@dataclass(frozen=True)
class Node:
    """What one node is configured with."""

    instances: tuple[Instance, ...]
    scripts: tuple[tuple[Script, Place], ...]


@dataclass(frozen=True)
class Cluster:
    """The nodes whose files were named."""

    nodes: tuple[Node, ...]

    @property
    def instances(self) -> list[Instance]:
        """Every instance of every node."""
        return [one for node in self.nodes for one in node.instances]

    @property
    def virtual_routers(self) -> list[list[Instance]]:
        """The instances of each virtual router that several nodes share, one a node.

        They have the number and the family of addresses in common. Interfaces may be named differently on each node;
        they tell virtual routers apart only where a node has the same number on more than one.
        """
        counted = [Counter(map(_number, node.instances)) for node in self.nodes]
        reused = {number for count in counted for number, times in count.items() if times > 1}
        found: dict[object, list[Instance]] = {}
        for one in self.instances:
            number = _number(one)
            key = (number, one.router.interface, one.router.group) if number in reused else number
            found.setdefault(key, []).append(one)
        return [members for members in found.values() if len({one.file for one in members}) == len(members) > 1]


def read_cluster(paths: Sequence[Path]) -> Cluster:
    """Read the files of the nodes; one that is named twice counts once.

    Raises:
        InputError: one cannot be read, or vipd would refuse it; a line for each error, with its file and line.
    """
    return Cluster(tuple(_node(path) for path in {os.path.realpath(path): path for path in paths}.values()))


def _node(path: Path) -> Node:
    file, host = str(path), platform.node()
    given = (host.partition(".")[0], host, str(Path(os.path.realpath(path)).parent), find)
    text = read_text(path, _OCTETS)
    if text is None:
        raise InputError(f"{file}: has more than {_OCTETS >> 20} MiB; name a keepalived.conf")
    try:
        config = parse(text, file, *given, without=LVS).config
    except ConfigError as error:
        raise InputError("\n".join(error.problems)) from None
    return _placed(file, config, statements(Source(*given).lines(text, file)))


def _placed(file: str, config: Config, tree: Sequence[Statement]) -> Node:
    # By their order: a name may hold ${_RANDOM}, which is another each time that it is read.
    instances, scripts = ([one for one in tree if one.keyword == kind] for kind in ("vrrp_instance", "vrrp_script"))
    return Node(
        tuple(Instance(file, router, head) for router, head in zip(config.routers, instances, strict=False)),
        tuple((script, _place(head)) for script, head in zip(config.scripts, scripts, strict=False)),
    )


def _within(statement: Statement) -> Iterator[Statement]:
    for one in statement.body or ():
        yield one
        yield from _within(one)


def _place(statement: Statement) -> Place:
    return Place(statement.file, statement.line)


def _number(instance: Instance) -> tuple[int, int]:
    return instance.router.vrid, instance.router.family
