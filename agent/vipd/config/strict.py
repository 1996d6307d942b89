"""The rules of `vrrp_strict` and `strict_mode` as a table: a condition, and its error."""

from __future__ import annotations

from collections.abc import Callable

from vipd.config.model import RouterConfig

_RULES: tuple[tuple[Callable[[RouterConfig], object], str], ...] = (
    (lambda router: not router.addresses, "there must be a virtual_ipaddress"),
    (
        lambda router: router.family == 6 and not router.addresses[0].address.lower().startswith("fe80"),
        "the first IPv6 address must be link-local; write fe80::... first",
    ),
    (
        lambda router: router.initial_master != (router.priority == 255) and router.initial_master,
        "state MASTER is for priority 255; write BACKUP",
    ),
    (lambda router: router.auth_type, "authentication is not in the standard any more; remove it"),
    (lambda router: router.preempt_delay_ns, "preempt_delay is not in the standard; remove it"),
    (lambda router: router.accept and router.version == 2, "version 2 has no accept mode; remove accept"),
    (lambda router: router.lower_prio_no_advert is False, "lower_prio_no_advert must not be switched off"),
    (lambda router: router.higher_prio_send_advert, "higher_prio_send_advert is not in the standard; remove it"),
    (lambda router: router.vmac_xmit_base, "vmac_xmit_base is not in the standard; remove it"),
    (lambda router: router.down_timer_adverts != 3, "down_timer_adverts is 3 in the standard; remove it"),
)


def violations(router: RouterConfig) -> list[str]:
    """The rules of strict mode that this router breaks, as error lines."""
    return [f"strict mode: {text}" for broken, text in _RULES if broken(router)]
