"""The keywords that vipd takes and does nothing for, with the values that keepalived takes and the reason, as data.

A value that keepalived would not take is warned of, and `-t` says so with its exit status, as keepalived's does.
"""

from __future__ import annotations

from vipd.config.keyword_forms import choice_or_alone, cpus, exactly_one, outdated, short_name
from vipd.config.values import Form, anything, block, flag, integer, lines, script, seconds, switch, text, words

_MAIL = "vipd sends no mail"
_POLL = "vipd follows the kernel's reports of links, and polls none"
_FIREWALL = "vipd sets no firewall rules"
_SNMP = "vipd speaks no SNMP; `vipd status --json` has the counters"
_LVS = "vipd does not do LVS"
_BFD = "vipd does not do BFD"
_DEFAULTED = "vipd has one behaviour for this"
_KERNEL = "the kernel's default is enough for the messages vipd waits for"
_ONCE = "vipd reads its files once and keeps no copy"
_TIME = "reload with SIGHUP when it is time"
_TABLES = "vipd asks only for what it needs of the routing tables"
_PRIORITY = "vipd keeps the priority that it was given"
_DBUS = "vipd speaks no D-Bus"

_UNSIGNED = (1 << 32) - 1
_Row = tuple[str, str, Form, str]


def _rows() -> tuple[_Row, ...]:
    name, buffer, niceness = Form("STRING", short_name, most=1), integer(0, _UNSIGNED), integer(-20, 19)
    processors = Form("CPU ...", cpus)
    at_top: dict[str, tuple[Form, str]] = {
        "track_group": (block("group"), "static addresses are set once and not watched"),
        "linkbeat_use_polling": (flag(), _POLL),
        "linkbeat_interfaces": (Form("{ IFACE ... }", lines), _POLL),
        "net_namespace_ipvs": (anything(), _LVS),
        "namespace_with_ipsets": (flag(), _FIREWALL),
        "use_pid_dir": (flag(), "the pid file is that of -p"),
        "child_wait_time": (integer(0, _UNSIGNED), "vipd waits for no children when it stops"),
        "bfd_instance": (block(), _BFD),
    }
    global_defs: dict[str, tuple[Form, str]] = {
        "reload_check_config": (flag(), "vipd always checks a new file before it takes it"),
        "include_check": (anything(), "use includea, includem, includer, includew line by line"),
        "notification_email": (block(), _MAIL),
        "notification_email_from": (text(), _MAIL),
        "smtp_server": (words(1, 2, "HOST [PORT]"), _MAIL),
        "smtp_connect_timeout": (seconds(0.000001, 4294), _MAIL),
        "smtp_helo_name": (anything(), _MAIL),
        **dict.fromkeys(("smtp_alert", "smtp_alert_vrrp"), (switch(), _MAIL)),
        "no_email_faults": (flag(), _MAIL),
        **dict.fromkeys(("smtp_alert_checker", "no_checker_emails"), (switch(), _LVS)),
        **dict.fromkeys(("checker_log_all_failures", "rs_init_notifies"), (switch(), _LVS)),
        "checker_process_name": (name, _LVS),
        "checker_priority": (niceness, _LVS),
        "checker_no_swap": (flag(), _LVS),
        "checker_rt_priority": (integer(1, 99), _LVS),
        "checker_rlimit_rttime": (integer(1, _UNSIGNED), _LVS),
        "checker_cpu_affinity": (processors, _LVS),
        "lvs_sync_daemon": (words(1, 100, "IFACE ..."), _LVS),
        "lvs_timeouts": (words(2, 6, "tcp|tcpfin|udp SECONDS ..."), _LVS),
        "lvs_flush": (flag(), _LVS),
        **dict.fromkeys(("lvs_flush_on_stop", "lvs_flush_onstop"), (choice_or_alone("VS"), _LVS)),
        "lvs_notify_fifo": (words(1, 3, "PATH [USER [GROUP]]"), _LVS),
        "lvs_notify_fifo_script": (script(), _LVS),
        **dict.fromkeys(("lvs_netlink_cmd_rcv_bufs", "lvs_netlink_monitor_rcv_bufs"), (buffer, _LVS)),
        **dict.fromkeys(("lvs_netlink_cmd_rcv_bufs_force", "lvs_netlink_monitor_rcv_bufs_force"), (switch(), _LVS)),
        "nftables_ipvs": (anything(), _LVS),
        "nftables_ipvs_priority": (integer(-(1 << 31), (1 << 31) - 1), _LVS),
        "nftables_ipvs_start_fwmark": (integer(1, _UNSIGNED), _LVS),
        "enable_snmp_checker": (flag(), _LVS),
        "bfd_process_name": (name, _BFD),
        "bfd_priority": (niceness, _BFD),
        "bfd_no_swap": (flag(), _BFD),
        "bfd_rt_priority": (integer(1, 99), _BFD),
        "bfd_rlimit_rttime": (integer(1, _UNSIGNED), _BFD),
        "bfd_cpu_affinity": (processors, _BFD),
        **dict.fromkeys(("vrrp_iptables", "vrrp_ipsets", "nftables"), (anything(), _FIREWALL)),
        "nftables_priority": (integer(-(1 << 31), (1 << 31) - 1), _FIREWALL),
        **dict.fromkeys(("nftables_counters", "nftables_ifindex", "disable_local_igmp"), (flag(), _FIREWALL)),
        "snmp_socket": (Form("STRING", exactly_one), _SNMP),
        **dict.fromkeys((
            "enable_snmp_vrrp", "enable_snmp_keepalived", "enable_snmp_rfc", "enable_snmp_rfcv2", "enable_snmp_rfcv3",
            "enable_traps",
        ), (flag(), _SNMP)),
        "enable_dbus": (flag(), _DBUS),
        "dbus_service_name": (text(), _DBUS),
        "dbus_no_interface_name": (flag(), _DBUS),
        "max_auto_priority": (anything(), _PRIORITY),
        "min_auto_priority_delay": (integer(1, 10_000_000), _PRIORITY),
        "log_unknown_vrids": (flag(), "they are counted; `vipd status` has vrid-errors"),
        "json_version": (anything(), "the JSON file has keepalived's version 1"),
        "vrrp_netlink_monitor_rcv_bufs": (buffer, "vipd reads all anew if it missed a report"),
        "process_names": (flag(), "name the process with vrrp_process_name"),
        "vmac_addr_prefix": (text(), "virtual MACs carry the instance's own interface only"),
        "vrrp_delay_after_boot": (anything(), "use vrrp_startup_delay"),
        "set_supplementary_groups": (flag(), "scripts always get their user's groups"),
        "use_symlink_paths": (flag(), "scripts are run by the path that was given"),
        "data_use_instance": (switch(), "name the files with state_dump_file"),
        "random_seed": (integer(0, _UNSIGNED), "${_RANDOM} is different each time"),
        **dict.fromkeys(("tmp_config_directory", "config_save_dir", "reload_file"), (anything(), _ONCE)),
        "reload_time_file": (Form("PATH", exactly_one), _TIME),
        "reload_repeat": (flag(), _TIME),
        **dict.fromkeys(("iproute_usr_dir", "iproute_etc_dir"), (text(), _TABLES)),
        **dict.fromkeys(("vrrp_netlink_cmd_rcv_bufs", "process_monitor_rcv_bufs"), (buffer, _KERNEL)),
        **dict.fromkeys((
            "vrrp_netlink_cmd_rcv_bufs_force", "vrrp_netlink_monitor_rcv_bufs_force", "process_monitor_rcv_bufs_force",
        ), (switch(), _KERNEL)),
        "vrrp_rx_bufs_policy": (words(1, 3, "MTU|ADVERT|NUMBER"), _KERNEL),
        "vrrp_rx_bufs_multiplier": (integer(1, _UNSIGNED), _KERNEL),
    }  # fmt: skip
    of_instance: dict[str, tuple[Form, str]] = {
        "track_bfd": (Form("{ NAME ... }", lines), _BFD),
        "linkbeat_use_polling": (outdated("linkbeat_interfaces at the top"), _POLL),
        "smtp_alert": (switch(), _MAIL),
        "debug": (integer(0, 4), "use -D for more log"),
        "lvs_sync_daemon_interface": (outdated("lvs_sync_daemon in global_defs"), _LVS),
        "use_vmac_addr": (flag(), "virtual MACs carry the instance's own interface only"),
        "use_ipvlan": (anything(), "vipd makes macvlans only; use use_vmac"),
        "old_unicast_checksum": (choice_or_alone("never"), "vipd reads both forms and sends the standard one"),
        "vrf": (text(), "name the interface with `interface`"),
        **dict.fromkeys(("timer_expired_backup", "thread_timer_expired"), (anything(), _DEFAULTED)),
    }
    of_group = {"track_bfd": of_instance["track_bfd"], "smtp_alert": of_instance["smtp_alert"]}
    blocks = {"": at_top, "global_defs": global_defs, "vrrp_instance": of_instance, "vrrp_sync_group": of_group}
    return tuple((where, name, form, note) for where, rows in blocks.items() for name, (form, note) in rows.items())


IGNORED = _rows()
"""Block, keyword, form and reason of each."""
