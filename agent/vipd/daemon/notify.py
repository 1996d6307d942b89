"""Notifies of changes of state: runs notify scripts in their order, and writes lines to the FIFOs."""

from __future__ import annotations

from typing import NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.config.model import Command, Globals, Hooks
from vipd.daemon.dumps import STATES
from vipd.daemon.scripts import Scripts
from vipd.kernel.fifo import Fifo
from vipd.kernel.syslog import Syslog
from vipd.protocol.groups import Group
from vipd.protocol.router import Router
from vipd.protocol.table import State

_GIVE_NS = 10 * SECOND_NS


class Notifier:
    """Runs the hooks of instances and groups, and writes to the FIFOs."""

    def __init__(self, config: Globals, scripts: Scripts, log: Syslog) -> None:
        self._scripts = scripts
        self._log = log
        self._fifos: dict[_Wanted, Fifo] = {}
        self.update(config)

    def update(self, config: Globals) -> None:
        """Open the FIFOs of this configuration; those that stay the same stay open."""
        wanted = _wanted(config)
        for left in self._fifos.keys() - wanted.keys():
            self._fifos.pop(left).close()
        for one in wanted:
            if one not in self._fifos:
                self._fifos[one] = Fifo(one.path, one.owner, self._log, self._give)
                for script in one.scripts:
                    # It reads the FIFO for as long as the daemon runs.
                    told = script._replace(argv=(*script.argv, one.path))
                    self._scripts.run(told, 0, f"fifo {one.path}", lambda status: None)

    def tell(self, kind: str, name: str, state: str, priority: int, hooks: Hooks) -> None:
        """Notify of a change: `kind` is INSTANCE or GROUP, `state` one of keepalived's words."""
        line = f'{kind} "{name}" {state} {priority}\n'
        for fifo in self._fifos.values():
            fifo.write(line)
        for wanted, command in hooks.commands:
            if wanted == state:
                self._scripts.notify(command, (), f"{kind} {name}")
        for wanted, command in hooks.commands:
            if not wanted and not state.endswith(("_RX_LOWER_PRI", "_PRIORITY")):
                self._scripts.notify(command, (kind, name, state, str(priority)), f"{kind} {name}")

    def tell_group(self, group: Group) -> None:
        """Notify of a sync group's change of state; as with keepalived its priority is 0."""
        if group.state is not None:
            word = "STOP" if group.state is State.INITIALIZE else STATES[group.state][1]
            self.tell("GROUP", group.config.name, word, 0, group.config.hooks)

    def tell_priority(self, router: Router) -> None:
        """Notify of a change of effective priority; keepalived names a router in FAULT a backup here."""
        if router.config.hooks.priority_changes:
            word = "MASTER" if router.state is State.MASTER else "BACKUP"
            self.tell("INSTANCE", router.config.name, f"{word}_PRIORITY", router.priority, router.config.hooks)

    def close(self) -> None:
        """Close all FIFOs."""
        for fifo in self._fifos.values():
            fifo.close()

    def _give(self, path: str, uid: int, gid: int) -> None:
        """Have the process that runs scripts give a FIFO to its owner, which this one may do at the start only."""

        def ended(status: int) -> None:
            if status:
                self._log.failure(f"{path}: could not be given to its owner, and stays root's")

        command = Command(("/bin/chown", "-h", f"{uid}:{gid}", path), "root", "root")
        self._scripts.run(command, _GIVE_NS, "", ended)


class _Wanted(NamedTuple):
    """A FIFO, whose it is, and what reads it."""

    path: str
    owner: tuple[str, ...]
    scripts: tuple[Command, ...]


def _wanted(config: Globals) -> dict[_Wanted, None]:
    scripts: dict[tuple[str, ...], list[Command]] = {}
    for words, script in ((config.fifo, config.fifo_script), (config.vrrp_fifo, config.vrrp_fifo_script)):
        if words:
            scripts.setdefault(words, []).extend([script] if script else [])
    return {_Wanted(words[0], words[1:], tuple(found)): None for words, found in scripts.items()}
