"""Reloads: what an instance says before and after, and whether it stops and starts. keepalived 2.2.7 was measured."""

from __future__ import annotations

from typing import NamedTuple

_PEER = "unicast_peer {\n10.0.0.3\n}"
_PEERS = "unicast_peer {\n10.0.0.3\n10.0.0.4\n}"
_OWN = "unicast_src_ip 10.0.0.2"
_PASS = "authentication {\nauth_type PASS\nauth_pass abc\n}"
_HOOKS = (
    "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted",
    "notify_master_rx_lower_pri", "notify",
)  # fmt: skip
DEFINITIONS = """\
global_defs {
enable_script_security
script_user root
dynamic_interfaces
}
vrrp_script ok {
script "/usr/bin/true"
interval 1
}
track_file level {
file /run/level
}
vrrp_track_process any {
process init
}
"""


class Reload(NamedTuple):
    """One change of one instance.

    Attributes:
        name: of the instance.
        before: lines of its block; {n} is its number. `virtual_ipaddress` and what is needed are added where missing.
        after: the same after the reload.
        restarts: whether the instance stops and starts.
        moves: how often its first address is removed and set all the same, since the kernel knows no other way.
        alone: not beside keepalived, which has no such keyword, or another reason to differ.
    """

    name: str
    before: str
    after: str
    restarts: bool = False
    moves: bool = False
    alone: bool = False


RELOADS = (
    Reload("nothing", "", ""),
    # -- whom it can reach
    Reload("peer_added", f"{_OWN}\n{_PEER}", f"{_OWN}\n{_PEERS}"),
    Reload("peer_removed", f"{_OWN}\n{_PEERS}", f"{_OWN}\n{_PEER}"),
    Reload("peer_replaced", f"{_OWN}\n{_PEER}", f"{_OWN}\nunicast_peer {{\n10.0.0.9\n}}"),
    Reload("peer_ttl", f"{_OWN}\n{_PEER}", f"{_OWN}\nunicast_peer {{\n10.0.0.3 min_ttl 254 max_ttl 255\n}}"),
    Reload("first_peer", "", f"{_OWN}\n{_PEER}", restarts=True),
    Reload("last_peer", f"{_OWN}\n{_PEER}", "", restarts=True),
    Reload("unicast_src_ip", f"{_OWN}\n{_PEER}", f"{_OWN}2\n{_PEER}", restarts=True),
    Reload("unicast_ttl", f"{_OWN}\n{_PEER}", f"unicast_ttl 64\n{_OWN}\n{_PEER}"),
    Reload("check_unicast_src", f"{_OWN}\n{_PEER}", f"check_unicast_src\n{_OWN}\n{_PEER}"),
    Reload("unicast_fault_no_peer", f"{_OWN}\n{_PEER}", f"unicast_fault_no_peer\n{_OWN}\n{_PEER}"),
    Reload("track_src_ip", f"{_OWN}\n{_PEER}", f"track_src_ip\n{_OWN}\n{_PEER}"),
    Reload("mcast_src_ip", "", "mcast_src_ip 10.0.0.22"),
    Reload("mcast_dst_ip", "", "mcast_dst_ip 224.0.0.99", restarts=True),
    # -- what it is
    Reload("interface", "interface eth0", "interface eth1", restarts=True),
    Reload("virtual_router_id", "virtual_router_id {n}", "virtual_router_id 2{n}", restarts=True),
    Reload("native_ipv6", "", "virtual_ipaddress {\n2001:db8::{n}/128 dev eth1\n}\nnative_ipv6", restarts=True),
    Reload("version_3", "", "version 3"),
    Reload("version_2", "version 3", "version 2"),
    Reload("dual_version", "version 3", "version 3\ndual_version", alone=True),
    Reload("auth_type", "", _PASS),
    Reload("auth_pass", _PASS, _PASS.replace("abc", "xyz")),
    Reload("auth_ah", _PASS, _PASS.replace("PASS", "AH", 1)),
    Reload("priority_less", "priority 150", "priority 140"),
    Reload("priority_more", "priority 150", "priority 160"),
    Reload("owner", "priority 150", "priority 255"),
    Reload("no_owner", "priority 255", "priority 150"),
    Reload("state", "state BACKUP", "state MASTER"),
    Reload("advert_int", "", "advert_int 2"),
    Reload("down_timer_adverts", "", "down_timer_adverts 5"),
    Reload("nopreempt", "", "nopreempt"),
    Reload("preempt", "nopreempt", "preempt"),
    Reload("preempt_delay", "", "preempt_delay 10"),
    Reload("strict_mode", "", "strict_mode"),
    Reload("skip_check_adv_addr", "", "skip_check_adv_addr"),
    Reload("v3_checksum_as_v2", "version 3", "version 3\nv3_checksum_as_v2", alone=True),
    Reload("link_local_first", "", "link_local_first", alone=True),
    Reload("kernel_rx_buf_size", "", "kernel_rx_buf_size 65536"),
    Reload("lower_prio_no_advert", "", "lower_prio_no_advert"),
    Reload("higher_prio_send_advert", "", "higher_prio_send_advert"),
    Reload("owner_ignore_adverts", "", "owner_ignore_adverts", alone=True),
    # -- what it serves
    Reload("address_added", "", "virtual_ipaddress {\n{vip}\n{more}\n}"),
    Reload("address_removed", "virtual_ipaddress {\n{vip}\n{more}\n}", ""),
    Reload("address_order", "virtual_ipaddress {\n{vip}\n{more}\n}", "virtual_ipaddress {\n{more}\n{vip}\n}"),
    Reload("address_mask", "", "virtual_ipaddress {\n192.168.122.{n}/24 dev eth1\n}", moves=True),
    Reload("address_label", "", "virtual_ipaddress {\n{vip} label eth1:{n}\n}", moves=True),
    Reload("address_scope", "", "virtual_ipaddress {\n{vip} scope link\n}", moves=True),
    Reload("virtual_ipaddress_excluded", "", "virtual_ipaddress_excluded {\n{more}\n}"),
    Reload("virtual_routes", "", "virtual_routes {\n10.{n}.0.0/16 dev eth1\n}"),
    Reload("virtual_routes_less", "virtual_routes {\n10.{n}.0.0/16 dev eth1\n}", ""),
    Reload("virtual_rules", "", "virtual_rules {\nfrom 10.{n}.0.0/16 table 77 preference 1{n}\n}"),
    Reload("promote_secondaries", "", "promote_secondaries"),
    Reload("accept", "", "accept"),
    Reload("no_accept", "", "no_accept"),
    Reload("use_vmac", "", "use_vmac", restarts=True),
    Reload("no_vmac", "use_vmac", "", restarts=True),
    Reload("use_vmac_name", "use_vmac va{n}", "use_vmac vb{n}"),
    Reload("vmac_xmit_base", "use_vmac vx{n}", "use_vmac vx{n}\nvmac_xmit_base"),
    # -- what it announces
    Reload("garp_master_delay", "", "garp_master_delay 1"),
    Reload("garp_master_repeat", "", "garp_master_repeat 2"),
    Reload("garp_master_refresh", "", "garp_master_refresh 2\ngarp_master_refresh_repeat 2"),
    Reload("garp_lower_prio_delay", "", "garp_lower_prio_delay 1\ngarp_lower_prio_repeat 1"),
    Reload("garp_extra_if", "", "garp_extra_if all 10", alone=True),
    Reload("vmac_garp_intvl", "", "vmac_garp_intvl all 10", alone=True),
    # -- what it tracks and tells
    Reload("dont_track_primary", "", "dont_track_primary"),
    Reload("track_interface", "", "track_interface {\neth1\n}"),
    Reload("track_interface_less", "track_interface {\neth1\n}", ""),
    Reload("track_interface_weight", "", "track_interface {\neth1 weight 10\n}"),
    Reload("track_script", "", "track_script {\nok\n}"),
    Reload("track_script_weight", "track_script {\nok\n}", "track_script {\nok weight 5\n}"),
    Reload("track_file", "", "track_file {\nlevel weight 1\n}"),
    Reload("track_process", "", "track_process {\nany weight 1\n}"),
    Reload("notify", "", "\n".join([*(f'{word} "/usr/bin/true"' for word in _HOOKS), "notify_priority_changes"])),
)

_NEEDED = {
    "interface": "interface eth0",
    "virtual_router_id": "virtual_router_id {n}",
    "priority": "priority 150",
    "virtual_ipaddress": "virtual_ipaddress {\n{vip}\n}",
}


def instance(number: int, name: str, body: str) -> str:
    """The block of an instance that has these lines."""
    said = {line.split()[0] for line in body.splitlines()}
    lines = "\n".join([*(line for keyword, line in _NEEDED.items() if keyword not in said), body])
    for word, value in (
        ("{vip}", "192.168.122.{n}/32 dev eth1"),
        ("{more}", "192.168.123.{n}/32 dev eth1"),
        ("{n}", str(number)),
    ):
        lines = lines.replace(word, value)
    return f"vrrp_instance {name} {{\n{lines}\n}}\n"


def numbered(alone: bool) -> list[tuple[int, Reload]]:
    """The reloads, with the number of each, which is at once its virtual_router_id and the end of its address."""
    return [(number, one) for number, one in enumerate(RELOADS, 21) if alone or not one.alone]


def configuration(after: bool, alone: bool = True) -> str:
    """All instances, before or after the reload; with `alone`, those that keepalived does not do, too."""
    return DEFINITIONS + "".join(
        instance(number, one.name, one.after if after else one.before) for number, one in numbered(alone)
    )
