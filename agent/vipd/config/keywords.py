"""Every keyword of keepalived.conf that concerns VRRP, as data: its block, its values, the field that it fills in.

`to` names a field of what the block makes (`model`); in "global_defs" a `to` that begins with `router.` is the default
of that field for every instance. A keyword without `to` has no effect in vipd, and `note` is the reason: it is accepted
with a warning, never silently. docs/vipd.md has this table as a manual; `vipd.tools.manual` writes it.
"""

from __future__ import annotations

from typing import NamedTuple

from vipd.config.address_lines import static_address, ttl_range, virtual_address
from vipd.config.ignored_keywords import IGNORED
from vipd.config.keyword_forms import (
    advert_int,
    auth_pass,
    choice_or_alone,
    cpus,
    debounce,
    delay,
    exact_match,
    garp_extra,
    global_tracking,
    init_file,
    names,
    old_garp_extra,
    script_words,
    short_name,
    umask,
    vmac,
    weight,
)
from vipd.config.route_lines import route, static_route
from vipd.config.rule_lines import rule, static_rule
from vipd.config.track_lines import tracked
from vipd.config.values import (
    Form,
    address,
    anything,
    choice,
    each,
    flag,
    group,
    integer,
    interface,
    nothing,
    script,
    seconds,
    switch,
    text,
    words,
)


class Keyword(NamedTuple):
    """One keyword in one block."""

    block: str
    name: str
    form: Form
    to: str = ""
    note: str = ""


_ADDRESSES = each("ADDRESS[/MASK] ...", virtual_address, named=True)
_TRACKS = (
    ("track_interface", "IFACE [weight N [reverse]]", tracked("interface", 253)),
    ("track_script", "NAME [weight N [reverse]]", tracked("script", 253)),
    ("track_file", "NAME [weight N [reverse]]", tracked("file", 254)),
    ("track_process", "NAME [weight N [reverse]]", tracked("process", 254)),
)
_HOOKS = (
    ("notify_master", "MASTER"), ("notify_backup", "BACKUP"), ("notify_fault", "FAULT"), ("notify_stop", "STOP"),
    ("notify", ""), ("notify_deleted", "DELETED"), ("notify_master_rx_lower_pri", "MASTER_RX_LOWER_PRI"),
)  # fmt: skip


def _table() -> tuple[Keyword, ...]:
    k = Keyword
    return (
        # -- the file itself
        k("", "global_defs", anything(), "block"),
        k("", "vrrp_instance", anything(), "block"),
        k("", "vrrp_sync_group", anything(), "block"),
        k("", "vrrp_script", anything(), "block"),
        k("", "track_file", anything(), "block"),
        k("", "vrrp_track_file", anything(), "block"),
        k("", "vrrp_track_process", anything(), "block"),
        k("", "garp_group", anything(), "block"),
        k("", "static_ipaddress", each("ADDRESS", static_address, named=True), "addresses"),
        k("", "static_routes", each("ROUTE", static_route, named=True), "routes"),
        k("", "static_rules", each("RULE", static_rule, named=True), "rules"),
        k("", "interface_up_down_delays", each("IFACE DOWN [UP]", debounce), "delays"),
        k("", "net_namespace", text(), "net_namespace"),
        k("", "instance", text(), "instance"),
        # -- global_defs
        k("global_defs", "router_id", text(), "router_id"),
        k("global_defs", "script_user", words(1, 2, "USER [GROUP]"), "script_user"),
        k("global_defs", "enable_script_security", flag(), "script_security"),
        k("global_defs", "notify_fifo", words(1, 3, "PATH [USER [GROUP]]"), "fifo"),
        k("global_defs", "notify_fifo_script", script(), "fifo_script"),
        k("global_defs", "vrrp_notify_fifo", words(1, 3, "PATH [USER [GROUP]]"), "vrrp_fifo"),
        k("global_defs", "vrrp_notify_fifo_script", script(), "vrrp_fifo_script"),
        k("global_defs", "fifo_write_vrrp_states_on_reload", flag(), "fifo_on_reload"),
        k("global_defs", "vrrp_notify_priority_changes", switch(), "router.priority_changes"),
        k("global_defs", "vrrp_startup_delay", seconds(0.001, 4294.967295), "startup_delay_ns"),
        k("global_defs", "vrrp_priority", integer(-20, 19), "priority"),
        k("global_defs", "vrrp_rt_priority", integer(1, 99), "rt_priority"),
        k("global_defs", "vrrp_rlimit_rttime", integer(1, 4_294_967_295), "rt_time_us"),
        k("global_defs", "vrrp_no_swap", flag(), "no_swap"),
        k("global_defs", "vrrp_cpu_affinity", Form("CPU ...", cpus), "cpus"),
        k("global_defs", "vrrp_process_name", Form("STRING", short_name, most=1), "process_name"),
        k("global_defs", "process_name", Form("STRING", short_name, most=1), "process_name"),
        k("global_defs", "vmac_prefix", text(), "vmac_prefix"),
        k("global_defs", "umask", Form("NUMBER|BITS", umask), "umask"),
        k("global_defs", "state_dump_file", text(), "data_file"),
        k("global_defs", "stats_dump_file", text(), "stats_file"),
        k("global_defs", "json_dump_file", text(), "json_file"),
        k("global_defs", "startup_script", script(), "startup"),
        k("global_defs", "startup_script_timeout", seconds(1, 1000), "startup_timeout_ns"),
        k("global_defs", "shutdown_script", script(), "shutdown"),
        k("global_defs", "shutdown_script_timeout", seconds(1, 1000), "shutdown_timeout_ns"),
        k("global_defs", "default_interface", interface(), "default_interface"),
        k("global_defs", "dynamic_interfaces", choice_or_alone("allow_if_changes"), "dynamic_interfaces"),
        k("global_defs", "vrrp_min_garp", switch(), "min_garp"),
        # what instances inherit
        k("global_defs", "vrrp_version", choice(**{"2": 2, "3": 3}), "router.version"),
        k("global_defs", "vrrp_strict", flag(), "router.strict"),
        k("global_defs", "vrrp_mcast_group4", group(4), "group4"),
        k("global_defs", "vrrp_mcast_group6", group(6), "group6"),
        k("global_defs", "vrrp_garp_master_delay", seconds(0, 86400), "router.garp_delay_ns"),
        k("global_defs", "vrrp_garp_master_repeat", integer(1, 1000), "router.garp_repeat"),
        k("global_defs", "vrrp_garp_master_refresh", seconds(0, 4294967295), "router.garp_refresh_ns"),
        k("global_defs", "vrrp_garp_master_refresh_repeat", integer(1, 1000), "router.garp_refresh_repeat"),
        k("global_defs", "vrrp_garp_lower_prio_delay", seconds(0, 86400), "router.garp_lower_prio_delay_ns"),
        k("global_defs", "vrrp_garp_lower_prio_repeat", integer(0, 1000), "router.garp_lower_prio_repeat"),
        k("global_defs", "vrrp_garp_interval", seconds(0.000001, 4294.967295), "router.garp_interval_ns"),
        k("global_defs", "vrrp_gna_interval", seconds(0.000001, 4294.967295), "router.gna_interval_ns"),
        k("global_defs", "vrrp_garp_extra_if", Form("[all] SECONDS", garp_extra), "router.garp_extra_ns"),
        k("global_defs", "vrrp_down_timer_adverts", integer(1, 100), "router.down_timer_adverts"),
        k("global_defs", "vrrp_lower_prio_no_advert", switch(), "router.lower_prio_no_advert"),
        k("global_defs", "vrrp_higher_prio_send_advert", switch(), "router.higher_prio_send_advert"),
        k("global_defs", "vrrp_owner_ignore_adverts", switch(), "router.owner_ignore_adverts"),
        k("global_defs", "vrrp_check_unicast_src", flag(), "router.check_unicast_src"),
        k("global_defs", "vrrp_skip_check_adv_addr", flag(), "router.skip_address_check"),
        k("global_defs", "v3_checksum_as_v2", switch(), "router.message_only_checksum"),
        # -- vrrp_instance
        k("vrrp_instance", "state", choice(MASTER=True, BACKUP=False), "initial_master"),
        k("vrrp_instance", "interface", interface(), "interface"),
        k("vrrp_instance", "virtual_router_id", integer(1, 255), "vrid"),
        k("vrrp_instance", "priority", integer(1, 255), "priority"),
        k("vrrp_instance", "advert_int", Form("SECONDS", advert_int), "advert_int_ns"),
        k("vrrp_instance", "version", choice(**{"2": 2, "3": 3}), "version"),
        # vipd's own: RFC 9568 section 8.4.2 and erratum 8300, which keepalived has no words for.
        k("vrrp_instance", "dual_version", switch(), "dual"),
        k("vrrp_instance", "link_local_first", switch(), "link_local_first"),
        k("vrrp_instance", "nopreempt", nothing(False), "preempt"),
        k("vrrp_instance", "preempt", nothing(True), "preempt"),
        k("vrrp_instance", "preempt_delay", seconds(0, 1000), "preempt_delay_ns"),
        k("vrrp_instance", "down_timer_adverts", integer(1, 100), "down_timer_adverts"),
        k("vrrp_instance", "strict_mode", switch(), "strict"),
        k("vrrp_instance", "native_ipv6", flag(), "native_ipv6"),
        k("vrrp_instance", "mcast_src_ip", address(), "source"),
        k("vrrp_instance", "unicast_src_ip", address(), "source"),
        k("vrrp_instance", "mcast_dst_ip", group(), "group"),
        k("vrrp_instance", "unicast_peer", each("ADDRESS [min_ttl N] [max_ttl N]", ttl_range), "unicast_peers"),
        k("vrrp_instance", "unicast_ttl", integer(0, 255), "unicast_ttl"),
        k("vrrp_instance", "unicast_fault_no_peer", flag(), "unicast_fault_no_peer"),
        k("vrrp_instance", "check_unicast_src", flag(), "check_unicast_src"),
        k("vrrp_instance", "track_src_ip", flag(), "track_source"),
        k("vrrp_instance", "v3_checksum_as_v2", switch(), "message_only_checksum"),
        k("vrrp_instance", "skip_check_adv_addr", switch(), "skip_address_check"),
        k("vrrp_instance", "kernel_rx_buf_size", integer(0, 1 << 30), "receive_buffer"),
        k("vrrp_instance", "authentication", anything(), "block"),
        k("vrrp_instance", "virtual_ipaddress", _ADDRESSES, "addresses"),
        k("vrrp_instance", "virtual_ipaddress_excluded", _ADDRESSES, "excluded"),
        k("vrrp_instance", "virtual_routes", each("ROUTE", route, named=True), "routes"),
        k("vrrp_instance", "virtual_rules", each("RULE", rule, named=True), "rules"),
        k("vrrp_instance", "no_virtual_ipaddress", flag(), "no_addresses"),
        k("vrrp_instance", "promote_secondaries", flag(), "promote_secondaries"),
        k("vrrp_instance", "accept", nothing(True), "accept"),
        k("vrrp_instance", "no_accept", nothing(False), "accept"),
        k("vrrp_instance", "use_vmac", Form("[IFACE] [MAC]", vmac), "*"),
        k("vrrp_instance", "vmac_xmit_base", flag(), "vmac_xmit_base"),
        k("vrrp_instance", "garp_master_delay", seconds(0, 86400), "garp_delay_ns"),
        k("vrrp_instance", "garp_master_repeat", integer(1, 1000), "garp_repeat"),
        k("vrrp_instance", "garp_master_refresh", seconds(0, 4294967295), "garp_refresh_ns"),
        k("vrrp_instance", "garp_master_refresh_repeat", integer(1, 1000), "garp_refresh_repeat"),
        k("vrrp_instance", "garp_lower_prio_delay", seconds(0, 86400), "garp_lower_prio_delay_ns"),
        k("vrrp_instance", "garp_lower_prio_repeat", integer(0, 1000), "garp_lower_prio_repeat"),
        k("vrrp_instance", "garp_extra_if", Form("[all] SECONDS", garp_extra), "garp_extra_ns"),
        k("vrrp_instance", "vmac_garp_intvl", Form("[all] SECONDS", old_garp_extra), "garp_extra_ns"),
        k("vrrp_instance", "lower_prio_no_advert", switch(), "lower_prio_no_advert"),
        k("vrrp_instance", "higher_prio_send_advert", switch(), "higher_prio_send_advert"),
        k("vrrp_instance", "owner_ignore_adverts", switch(), "owner_ignore_adverts"),
        k("vrrp_instance", "dont_track_primary", nothing(False), "track_primary"),
        *(k("vrrp_instance", name, each(shown, read), "tracks") for name, shown, read in _TRACKS),
        *(k("vrrp_instance", name, script(), f"hook.{state}") for name, state in _HOOKS),
        k("vrrp_instance", "notify_priority_changes", switch(), "priority_changes"),
        # -- authentication
        k("authentication", "auth_type", choice(PASS=1, AH=2), "auth_type"),
        k("authentication", "auth_pass", Form("STRING", auth_pass, most=1), "auth_pass"),
        # -- vrrp_sync_group
        k("vrrp_sync_group", "group", Form("{ NAME ... }", names, adds=True), "members"),
        *(k("vrrp_sync_group", name, each(shown, read), "tracks") for name, shown, read in _TRACKS),
        *(k("vrrp_sync_group", name, script(), f"hook.{state}") for name, state in _HOOKS[:5]),
        k("vrrp_sync_group", "notify_priority_changes", switch(), "priority_changes"),
        k("vrrp_sync_group", "sync_group_tracking_weight", flag(), "tracking_weight"),
        k("vrrp_sync_group", "global_tracking", Form("", global_tracking, most=0), "tracking_weight"),
        # -- vrrp_script
        k("vrrp_script", "script", Form('"PROGRAM [WORD ...]"', script_words, most=1), "command"),
        k("vrrp_script", "interval", seconds(0.001, 86400), "interval_ns"),
        k("vrrp_script", "timeout", seconds(0.001, 86400), "timeout_ns"),
        k("vrrp_script", "weight", weight(253), "*"),
        k("vrrp_script", "rise", integer(1, 1_000_000), "rise"),
        k("vrrp_script", "fall", integer(1, 1_000_000), "fall"),
        k("vrrp_script", "user", words(1, 2, "USER [GROUP]"), "user"),
        k("vrrp_script", "init_fail", flag(), "init_fail"),
        # -- track_file
        k("track_file", "file", text(), "file"),
        k("track_file", "weight", weight(254), "*"),
        k("track_file", "init_file", Form("[VALUE] [overwrite]", init_file), "*"),
        # -- vrrp_track_process
        k("vrrp_track_process", "process", words(1, 1000, "NAME [WORD ...]"), "words"),
        k("vrrp_track_process", "param_match", Form("[initial|partial]", exact_match, most=1), "params"),
        k("vrrp_track_process", "weight", weight(254), "*"),
        k("vrrp_track_process", "quorum", integer(1, 65535), "quorum"),
        k("vrrp_track_process", "quorum_max", integer(0, 65535), "quorum_max"),
        k("vrrp_track_process", "fork_delay", seconds(0.000001, 3600), "fork_delay_ns"),
        k("vrrp_track_process", "terminate_delay", seconds(0.000001, 3600), "terminate_delay_ns"),
        k("vrrp_track_process", "delay", Form("SECONDS", delay, most=1), "*"),
        k("vrrp_track_process", "full_command", flag(), "full_command"),
        # -- garp_group
        k("garp_group", "garp_interval", seconds(0, 2147.483647), "garp_interval_ns"),
        k("garp_group", "gna_interval", seconds(0, 2147.483647), "gna_interval_ns"),
        k("garp_group", "interface", interface(), "interface"),
        k("garp_group", "interfaces", Form("{ IFACE ... }", names, adds=True), "interfaces"),
        *(k(block, name, form, note=note) for block, name, form, note in IGNORED),
    )  # fmt: skip


KEYWORDS = _table()
BLOCKS: dict[str, dict[str, Keyword]] = {}
for _keyword in KEYWORDS:
    BLOCKS.setdefault(_keyword.block, {})[_keyword.name] = _keyword

LVS = frozenset({"virtual_server", "virtual_server_group", "real_server", "SSL", "local_address_group"})
"""Blocks of keepalived's other half; vipd refuses them, since it could not do what they ask for."""

REFUSED = {
    ("vrrp_instance", "auth_hmac"): "vipd has no HMAC authentication; without it adverts would be sent unprotected",
}
"""Keywords that must not be ignored, since ignoring them would be unsafe."""

__all__ = ["BLOCKS", "KEYWORDS", "LVS", "REFUSED", "Keyword"]
