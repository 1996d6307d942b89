"""Carries out the effects of routers: sends adverts, sets and announces addresses, and notifies of changes of state."""

from __future__ import annotations

import time
from collections.abc import Callable

from vipd.daemon.dumps import STATES
from vipd.daemon.kernel_state import KernelState
from vipd.daemon.notify import Notifier
from vipd.daemon.runtime import Runtime
from vipd.daemon.socket_pool import SocketPool
from vipd.daemon.unsent_adverts import UnsentAdverts
from vipd.kernel.syslog import Syslog, reason
from vipd.protocol.effects import (
    AddAddresses,
    Effect,
    Log,
    Notify,
    NotifyOfLower,
    RemoveAddresses,
    ResolvePeers,
    SendAdvert,
    SendGratuitousArp,
)
from vipd.protocol.router import Router
from vipd.protocol.table import State

_CLAIMING = (State.GOTO_MASTER, State.TRANSITION)  # intermediate states, which are not notified of


class EffectRunner:
    """Carries out the effects of routers."""

    def __init__(
        self,
        runtime: Runtime,
        pool: SocketPool,
        kernel_state: KernelState,
        notifier: Notifier,
        log: Syslog,
        unsent: UnsentAdverts,
        run_effects: Callable[[Router], None],
    ) -> None:
        """Keep the parts that carry out each kind of effect.

        Args:
            runtime: holds the sync groups.
            pool: sends adverts and announcements.
            kernel_state: sets and removes addresses, routes and rules.
            notifier: runs hooks.
            log: takes the routers' lines, and errors.
            unsent: decides when a router whose adverts cannot be sent is given up.
            run_effects: carries out the effects of the other members of a sync group.
        """
        self._runtime = runtime
        self._pool = pool
        self._kernel_state = kernel_state
        self._notifier = notifier
        self._log = log
        self._unsent = unsent
        self._run_effects = run_effects

    def run(self, router: Router) -> None:
        """Carry out the effects of a router in their order; one that fails is logged, and the rest is carried out.

        A router that is given up for want of adverts does nothing more of what it was about to do.
        """
        effects = router.drain()
        failed = 0
        for effect in effects:
            try:
                if isinstance(effect, SendAdvert):
                    self._pool.send(router, effect)
                    self._unsent.sent(router)
                elif isinstance(effect, Log):
                    self._log.line(effect.text, effect.detail)
                elif isinstance(effect, AddAddresses):
                    self._add(router, effect)
                elif isinstance(effect, RemoveAddresses):
                    self._remove(router, effect)
                elif isinstance(effect, SendGratuitousArp):
                    self._pool.announce(effect)
                elif isinstance(effect, ResolvePeers):
                    self._pool.resolve(router, effect)
                elif isinstance(effect, Notify):
                    self._notified(router, effect.state)
                elif isinstance(effect, NotifyOfLower):
                    hooks = router.config.hooks
                    self._notifier.tell("INSTANCE", router.config.name, "MASTER_RX_LOWER_PRI", router.priority, hooks)
            except (OSError, MemoryError) as error:
                self._log.failure(f"({router.config.name}) {type(effect).__name__} failed: {reason(error)}")
                if isinstance(effect, SendAdvert) and effect.priority:
                    failed += 1
                    if self._gives_up(router, effects, failed):
                        self.run(router)
                        break

    def _gives_up(self, router: Router, effects: list[Effect], failed: int) -> bool:
        """Whether none of the adverts of a batch was sent, and the router is given up for that."""
        if failed < sum(isinstance(effect, SendAdvert) for effect in effects):
            return False
        if not router.config.track_primary and not self._pool.is_up(router):
            return False  # dont_track_primary: its peer may be at the other end of that very cable, and dead
        claims = router.state in _CLAIMING or any(isinstance(effect, AddAddresses) for effect in effects)
        return self._unsent.failed(router, claims, time.monotonic_ns())

    def _add(self, router: Router, effect: AddAddresses) -> None:
        config = router.config
        self._pool.prepare(router)
        self._kernel_state.set_addresses(config.name, effect.addresses, present=True)
        self._kernel_state.set_routing(config.name, config.routes, config.rules, present=True)

    def _remove(self, router: Router, effect: RemoveAddresses) -> None:
        config = router.config
        self._kernel_state.set_routing(config.name, config.routes, config.rules, present=False)
        self._kernel_state.set_addresses(config.name, effect.addresses, present=False)
        self._pool.release(router)

    def _notified(self, router: Router, state: State) -> None:
        if state in _CLAIMING:
            return
        config, now = router.config, time.monotonic_ns()
        self._runtime.record(router, state, time.time())
        name = "STOP" if state is State.INITIALIZE else STATES[state][1]
        self._notifier.tell("INSTANCE", config.name, name, router.priority, config.hooks)
        for group in self._runtime.groups:
            if router in group.members and state is not State.INITIALIZE:
                before = group.state
                for other in group.changed(router, state, now):
                    self._run_effects(other)
                for other in group.needs_changed(now):
                    self._run_effects(other)
                if group.state is not before:
                    self._log.line(f"VRRP_Group({group.config.name}) Syncing instances to {STATES[state][1]} state")
                    self._notifier.tell_group(group)
