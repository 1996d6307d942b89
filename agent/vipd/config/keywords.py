"""Every keyword of keepalived.conf that concerns VRRP, as data: its block, its values, the field that it fills in.

`to` names a field of what the block makes (`model`); in "global_defs" a `to` that begins with `router.` is the default
of that field for every instance. A keyword without `to` has no effect in vipd, and `note` is the reason: it is accepted
with a warning, never silently. docs/vipd.md has this table as a manual; `vipd.tools.manual` writes it.
"""

from __future__ import annotations

from typing import NamedTuple

from vipd.config.ip_lines import (
    route,
    rule,
    static_address,
    static_route,
    static_rule,
    tracked,
    ttl_range,
    virtual_address,
)
from vipd.config.keyword_forms import (
    advert_int,
    auth_pass,
    choice_or_alone,
    cpus,
    debounce,
    delay,
    garp_extra,
    init_file,
    names,
    script_words,
    umask,
    vmac,
    weight,
)
from vipd.config.values import (
    Form,
    address,
    anything,
    choice,
    each,
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

_MAIL = "vipd sends no mail"
_POLL = "vipd follows the kernel's reports of links, and polls none"
_FIREWALL = "vipd sets no firewall rules"
_SNMP = "vipd speaks no SNMP; `vipd status --json` has the counters"
_LVS_LATER = "vipd does not do LVS"
_BFD = "vipd does not do BFD"
_DEFAULTED = "vipd has one behaviour for this"


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
        k("", "static_ipaddress", each("ADDRESS", static_address), "addresses"),
        k("", "static_routes", each("ROUTE", static_route), "routes"),
        k("", "static_rules", each("RULE", static_rule), "rules"),
        k("", "interface_up_down_delays", each("IFACE DOWN [UP]", debounce), "delays"),
        k("", "net_namespace", text(), "net_namespace"),
        k("", "instance", text(), "instance"),
        k("", "track_group", anything(), note="static addresses are set once and not watched"),
        k("", "linkbeat_use_polling", anything(), note=_POLL),
        k("", "linkbeat_interfaces", anything(), note=_POLL),
        k("", "net_namespace_ipvs", anything(), note=_LVS_LATER),
        k("", "namespace_with_ipsets", anything(), note=_FIREWALL),
        k("", "use_pid_dir", anything(), note="the pid file is that of -p"),
        k("", "child_wait_time", anything(), note="vipd waits for no children when it stops"),
        k("", "bfd_instance", anything(), note=_BFD),
        # -- global_defs
        k("global_defs", "router_id", text(), "router_id"),
        k("global_defs", "script_user", words(1, 2, "USER [GROUP]"), "script_user"),
        k("global_defs", "enable_script_security", switch(), "script_security"),
        k("global_defs", "notify_fifo", words(1, 3, "PATH [USER [GROUP]]"), "fifo"),
        k("global_defs", "notify_fifo_script", script(), "fifo_script"),
        k("global_defs", "vrrp_notify_fifo", words(1, 3, "PATH [USER [GROUP]]"), "vrrp_fifo"),
        k("global_defs", "vrrp_notify_fifo_script", script(), "vrrp_fifo_script"),
        k("global_defs", "fifo_write_vrrp_states_on_reload", switch(), "fifo_on_reload"),
        k("global_defs", "vrrp_notify_priority_changes", switch(), "router.priority_changes"),
        k("global_defs", "vrrp_startup_delay", seconds(0, 3600), "startup_delay_ns"),
        k("global_defs", "vrrp_priority", integer(-20, 19), "priority"),
        k("global_defs", "vrrp_rt_priority", integer(1, 99), "rt_priority"),
        k("global_defs", "vrrp_rlimit_rttime", integer(2, 1_000_000_000), "rt_time_us"),
        k("global_defs", "vrrp_no_swap", switch(), "no_swap"),
        k("global_defs", "vrrp_cpu_affinity", Form("CPU ...", cpus), "cpus"),
        k("global_defs", "vrrp_process_name", text(), "process_name"),
        k("global_defs", "process_name", text(), "process_name"),
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
        k("global_defs", "vrrp_strict", switch(), "router.strict"),
        k("global_defs", "vrrp_mcast_group4", group(4), "group4"),
        k("global_defs", "vrrp_mcast_group6", group(6), "group6"),
        k("global_defs", "vrrp_garp_master_delay", seconds(0, 86400), "router.garp_delay_ns"),
        k("global_defs", "vrrp_garp_master_repeat", integer(1, 1000), "router.garp_repeat"),
        k("global_defs", "vrrp_garp_master_refresh", seconds(0, 86400), "router.garp_refresh_ns"),
        k("global_defs", "vrrp_garp_master_refresh_repeat", integer(1, 1000), "router.garp_refresh_repeat"),
        k("global_defs", "vrrp_garp_lower_prio_delay", seconds(0, 86400), "router.garp_lower_prio_delay_ns"),
        k("global_defs", "vrrp_garp_lower_prio_repeat", integer(0, 1000), "router.garp_lower_prio_repeat"),
        k("global_defs", "vrrp_garp_interval", seconds(0, 1000), "router.garp_interval_ns"),
        k("global_defs", "vrrp_gna_interval", seconds(0, 1000), "router.gna_interval_ns"),
        k("global_defs", "vrrp_garp_extra_if", Form("[all] SECONDS", garp_extra), "router.garp_extra_ns"),
        k("global_defs", "vrrp_down_timer_adverts", integer(1, 100), "router.down_timer_adverts"),
        k("global_defs", "vrrp_lower_prio_no_advert", switch(), "router.lower_prio_no_advert"),
        k("global_defs", "vrrp_higher_prio_send_advert", switch(), "router.higher_prio_send_advert"),
        k("global_defs", "vrrp_owner_ignore_adverts", switch(), "router.owner_ignore_adverts"),
        k("global_defs", "vrrp_check_unicast_src", switch(), "router.check_unicast_src"),
        k("global_defs", "vrrp_skip_check_adv_addr", switch(), "router.skip_address_check"),
        k("global_defs", "v3_checksum_as_v2", switch(), "router.message_only_checksum"),
        # no effect, because vipd does it anyway
        k("global_defs", "reload_check_config", anything(), note="vipd always checks a new file before it takes it"),
        k("global_defs", "include_check", anything(), note="use includea, includem, includer, includew line by line"),
        # no effect
        *(k("global_defs", name, anything(), note=_MAIL) for name in (
            "notification_email", "notification_email_from", "smtp_server", "smtp_connect_timeout", "smtp_helo_name",
            "smtp_alert", "smtp_alert_vrrp", "no_email_faults",
        )),
        *(k("global_defs", name, anything(), note=_LVS_LATER) for name in (
            "smtp_alert_checker", "no_checker_emails", "checker_log_all_failures", "checker_process_name",
            "checker_priority", "checker_no_swap", "checker_rt_priority", "checker_rlimit_rttime",
            "checker_cpu_affinity", "lvs_sync_daemon", "lvs_timeouts", "lvs_flush", "lvs_flush_on_stop",
            "lvs_flush_onstop", "lvs_notify_fifo", "lvs_notify_fifo_script", "lvs_netlink_cmd_rcv_bufs",
            "lvs_netlink_cmd_rcv_bufs_force", "lvs_netlink_monitor_rcv_bufs", "lvs_netlink_monitor_rcv_bufs_force",
            "rs_init_notifies", "nftables_ipvs", "nftables_ipvs_priority", "nftables_ipvs_start_fwmark",
            "enable_snmp_checker",
        )),
        *(k("global_defs", name, anything(), note=_BFD) for name in (
            "bfd_process_name", "bfd_priority", "bfd_no_swap", "bfd_rt_priority", "bfd_rlimit_rttime",
            "bfd_cpu_affinity",
        )),
        *(k("global_defs", name, anything(), note=_FIREWALL) for name in (
            "vrrp_iptables", "vrrp_ipsets", "nftables", "nftables_priority", "nftables_counters", "nftables_ifindex",
            "disable_local_igmp",
        )),
        *(k("global_defs", name, anything(), note=_SNMP) for name in (
            "snmp_socket", "enable_snmp_vrrp", "enable_snmp_keepalived", "enable_snmp_rfc", "enable_snmp_rfcv2",
            "enable_snmp_rfcv3", "enable_traps",
        )),
        *(k("global_defs", name, anything(), note="vipd speaks no D-Bus") for name in (
            "enable_dbus", "dbus_service_name", "dbus_no_interface_name",
        )),
        *(k("global_defs", name, anything(), note="vipd keeps the priority that it was given")
          for name in ("max_auto_priority", "min_auto_priority_delay")),
        k("global_defs", "log_unknown_vrids", anything(), note="they are counted; `vipd status` has vrid-errors"),
        k("global_defs", "json_version", anything(), note="the JSON file has keepalived's version 1"),
        k("global_defs", "vrrp_netlink_monitor_rcv_bufs", anything(), note="vipd reads all anew if it missed a report"),
        k("global_defs", "process_names", anything(), note="name the process with vrrp_process_name"),
        k("global_defs", "vmac_addr_prefix", anything(), note="virtual MACs carry the instance's own interface only"),
        k("global_defs", "vrrp_delay_after_boot", anything(), note="use vrrp_startup_delay"),
        k("global_defs", "set_supplementary_groups", anything(), note="scripts always get their user's groups"),
        k("global_defs", "use_symlink_paths", anything(), note="scripts are run by the path that was given"),
        k("global_defs", "data_use_instance", anything(), note="name the files with state_dump_file"),
        k("global_defs", "random_seed", anything(), note="${_RANDOM} is different each time"),
        *(k("global_defs", name, anything(), note="vipd reads its files once and keeps no copy")
          for name in ("tmp_config_directory", "config_save_dir", "reload_file")),
        *(k("global_defs", name, anything(), note="reload with SIGHUP when it is time")
          for name in ("reload_time_file", "reload_repeat")),
        *(k("global_defs", name, anything(), note="vipd asks only for what it needs of the routing tables")
          for name in ("iproute_usr_dir", "iproute_etc_dir")),
        *(k("global_defs", name, anything(), note="the kernel's default is enough for the messages vipd waits for")
          for name in ("vrrp_netlink_cmd_rcv_bufs", "vrrp_netlink_cmd_rcv_bufs_force",
                       "vrrp_netlink_monitor_rcv_bufs_force", "process_monitor_rcv_bufs",
                       "process_monitor_rcv_bufs_force", "vrrp_rx_bufs_policy", "vrrp_rx_bufs_multiplier")),
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
        k("vrrp_instance", "native_ipv6", switch(), "native_ipv6"),
        k("vrrp_instance", "mcast_src_ip", address(), "source"),
        k("vrrp_instance", "unicast_src_ip", address(), "source"),
        k("vrrp_instance", "mcast_dst_ip", group(), "group"),
        k("vrrp_instance", "unicast_peer", each("ADDRESS [min_ttl N] [max_ttl N]", ttl_range), "unicast_peers"),
        k("vrrp_instance", "unicast_ttl", integer(0, 255), "unicast_ttl"),
        k("vrrp_instance", "unicast_fault_no_peer", switch(), "unicast_fault_no_peer"),
        k("vrrp_instance", "check_unicast_src", switch(), "check_unicast_src"),
        k("vrrp_instance", "track_src_ip", switch(), "track_source"),
        k("vrrp_instance", "v3_checksum_as_v2", switch(), "message_only_checksum"),
        k("vrrp_instance", "skip_check_adv_addr", switch(), "skip_address_check"),
        k("vrrp_instance", "kernel_rx_buf_size", integer(0, 1 << 30), "receive_buffer"),
        k("vrrp_instance", "authentication", anything(), "block"),
        k("vrrp_instance", "virtual_ipaddress", each("ADDRESS[/MASK] ...", virtual_address), "addresses"),
        k("vrrp_instance", "virtual_ipaddress_excluded", each("ADDRESS[/MASK] ...", virtual_address), "excluded"),
        k("vrrp_instance", "virtual_routes", each("ROUTE", route), "routes"),
        k("vrrp_instance", "virtual_rules", each("RULE", rule), "rules"),
        k("vrrp_instance", "no_virtual_ipaddress", switch(), "no_addresses"),
        k("vrrp_instance", "promote_secondaries", switch(), "promote_secondaries"),
        k("vrrp_instance", "accept", nothing(True), "accept"),
        k("vrrp_instance", "no_accept", nothing(False), "accept"),
        k("vrrp_instance", "use_vmac", Form("[IFACE] [MAC]", vmac), "*"),
        k("vrrp_instance", "vmac_xmit_base", switch(), "vmac_xmit_base"),
        k("vrrp_instance", "garp_master_delay", seconds(0, 86400), "garp_delay_ns"),
        k("vrrp_instance", "garp_master_repeat", integer(1, 1000), "garp_repeat"),
        k("vrrp_instance", "garp_master_refresh", seconds(0, 86400), "garp_refresh_ns"),
        k("vrrp_instance", "garp_master_refresh_repeat", integer(1, 1000), "garp_refresh_repeat"),
        k("vrrp_instance", "garp_lower_prio_delay", seconds(0, 86400), "garp_lower_prio_delay_ns"),
        k("vrrp_instance", "garp_lower_prio_repeat", integer(0, 1000), "garp_lower_prio_repeat"),
        k("vrrp_instance", "garp_extra_if", Form("[all] SECONDS", garp_extra), "garp_extra_ns"),
        k("vrrp_instance", "vmac_garp_intvl", Form("[all] SECONDS", garp_extra), "garp_extra_ns"),
        k("vrrp_instance", "lower_prio_no_advert", switch(), "lower_prio_no_advert"),
        k("vrrp_instance", "higher_prio_send_advert", switch(), "higher_prio_send_advert"),
        k("vrrp_instance", "owner_ignore_adverts", switch(), "owner_ignore_adverts"),
        k("vrrp_instance", "dont_track_primary", nothing(False), "track_primary"),
        *(k("vrrp_instance", name, each(shown, read), "tracks") for name, shown, read in _TRACKS),
        *(k("vrrp_instance", name, script(), f"hook.{state}") for name, state in _HOOKS),
        k("vrrp_instance", "notify_priority_changes", switch(), "priority_changes"),
        k("vrrp_instance", "track_bfd", anything(), note=_BFD),
        k("vrrp_instance", "linkbeat_use_polling", anything(), note=_POLL),
        k("vrrp_instance", "smtp_alert", anything(), note=_MAIL),
        k("vrrp_instance", "debug", anything(), note="use -D for more log"),
        k("vrrp_instance", "lvs_sync_daemon_interface", anything(), note=_LVS_LATER),
        k("vrrp_instance", "use_vmac_addr", anything(), note="virtual MACs carry the instance's own interface only"),
        k("vrrp_instance", "use_ipvlan", anything(), note="vipd makes macvlans only; use use_vmac"),
        k("vrrp_instance", "old_unicast_checksum", anything(), note="vipd reads both forms and sends the standard one"),
        k("vrrp_instance", "vrf", anything(), note="name the interface with `interface`"),
        k("vrrp_instance", "timer_expired_backup", anything(), note=_DEFAULTED),
        k("vrrp_instance", "thread_timer_expired", anything(), note=_DEFAULTED),
        # -- authentication
        k("authentication", "auth_type", choice(PASS=1, AH=2), "auth_type"),
        k("authentication", "auth_pass", Form("STRING", auth_pass, most=1), "auth_pass"),
        # -- vrrp_sync_group
        k("vrrp_sync_group", "group", Form("{ NAME ... }", names, adds=True), "members"),
        *(k("vrrp_sync_group", name, each(shown, read), "tracks") for name, shown, read in _TRACKS),
        *(k("vrrp_sync_group", name, script(), f"hook.{state}") for name, state in _HOOKS[:5]),
        k("vrrp_sync_group", "notify_priority_changes", switch(), "priority_changes"),
        k("vrrp_sync_group", "sync_group_tracking_weight", switch(), "tracking_weight"),
        k("vrrp_sync_group", "global_tracking", switch(), "tracking_weight"),
        k("vrrp_sync_group", "track_bfd", anything(), note=_BFD),
        k("vrrp_sync_group", "smtp_alert", anything(), note=_MAIL),
        # -- vrrp_script
        k("vrrp_script", "script", Form('"PROGRAM [WORD ...]"', script_words, most=1), "command"),
        k("vrrp_script", "interval", seconds(0.001, 86400), "interval_ns"),
        k("vrrp_script", "timeout", seconds(0.001, 86400), "timeout_ns"),
        k("vrrp_script", "weight", weight(253), "*"),
        k("vrrp_script", "rise", integer(1, 1_000_000), "rise"),
        k("vrrp_script", "fall", integer(1, 1_000_000), "fall"),
        k("vrrp_script", "user", words(1, 2, "USER [GROUP]"), "user"),
        k("vrrp_script", "init_fail", switch(), "init_fail"),
        # -- track_file
        k("track_file", "file", text(), "file"),
        k("track_file", "weight", weight(254), "*"),
        k("track_file", "init_file", Form("[VALUE] [overwrite]", init_file), "*"),
        # -- vrrp_track_process
        k("vrrp_track_process", "process", words(1, 1000, "NAME [WORD ...]"), "words"),
        k("vrrp_track_process", "param_match", choice(initial="initial", partial="partial"), "params"),
        k("vrrp_track_process", "weight", weight(254), "*"),
        k("vrrp_track_process", "quorum", integer(1, 65535), "quorum"),
        k("vrrp_track_process", "quorum_max", integer(0, 65535), "quorum_max"),
        k("vrrp_track_process", "fork_delay", seconds(0, 3600), "fork_delay_ns"),
        k("vrrp_track_process", "terminate_delay", seconds(0, 3600), "terminate_delay_ns"),
        k("vrrp_track_process", "delay", Form("SECONDS", delay), "*"),
        k("vrrp_track_process", "full_command", switch(), "full_command"),
        # -- garp_group
        k("garp_group", "garp_interval", seconds(0, 1000), "garp_interval_ns"),
        k("garp_group", "gna_interval", seconds(0, 1000), "gna_interval_ns"),
        k("garp_group", "interface", interface(), "interface"),
        k("garp_group", "interfaces", Form("{ IFACE ... }", names, adds=True), "interfaces"),
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
