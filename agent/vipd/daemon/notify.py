"""Notifies of changes of state: runs notify scripts in their order, and writes lines to the FIFOs."""

from __future__ import annotations

from vipd.config.model import Globals, Hooks
from vipd.daemon.dumps import STATES
from vipd.daemon.scripts import Scripts
from vipd.kernel.fifo import Fifo
from vipd.kernel.syslog import Syslog
from vipd.protocol.groups import Group
from vipd.protocol.router import Router
from vipd.protocol.table import State


class Notifier:
    """Runs the hooks of instances and groups, and writes to the FIFOs."""

    def __init__(self, config: Globals, scripts: Scripts, log: Syslog) -> None:
        self._scripts = scripts
        self._log = log
        self._open(config)

    def update(self, config: Globals) -> None:
        """Open the FIFOs of this configuration; those that stay the same stay open."""
        if _asked(config) != self._serves:
            self.close()
            self._open(config)

    def tell(self, kind: str, name: str, state: str, priority: int, hooks: Hooks) -> None:
        """Notify of a change: `kind` is INSTANCE or GROUP, `state` one of keepalived's words."""
        line = f'{kind} "{name}" {state} {priority}\n'
        for fifo in self.fifos:
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
        for fifo in self.fifos:
            fifo.close()

    def _open(self, config: Globals) -> None:
        self._serves = _asked(config)
        self.fifos = [
            Fifo(path[0], path[1] if len(path) > 1 else None, path[2] if len(path) > 2 else None, self._log)
            for path in dict.fromkeys((config.fifo, config.vrrp_fifo))
            if path
        ]
        paths = {fifo.path for fifo in self.fifos}
        for path, command in ((config.fifo, config.fifo_script), (config.vrrp_fifo, config.vrrp_fifo_script)):
            if command and path and path[0] in paths:
                # It reads the FIFO for as long as the daemon runs.
                told = command._replace(argv=(*command.argv, path[0]))
                self._scripts.run(told, 0, f"fifo {path[0]}", lambda status: None)


def _asked(config: Globals) -> tuple[object, ...]:
    return config.fifo, config.fifo_script, config.vrrp_fifo, config.vrrp_fifo_script
