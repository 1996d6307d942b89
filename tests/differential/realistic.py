"""Files as people write them, made up; what generated lines are put into, and what is mutated."""

from __future__ import annotations

_SAFE = "    script_user root\n    enable_script_security\n"
HAPROXY = f"""\
! Configuration File for keepalived
global_defs {{
    notification_email {{
        ops@example.com
    }}
    notification_email_from keepalived@example.com
    smtp_server 127.0.0.1
    smtp_connect_timeout 30
    router_id LB_1
{_SAFE}}}
vrrp_script known {{
    script "killall -0 haproxy"
    interval 2
    weight -20
    fall 3
    rise 2
}}
vrrp_instance V {{
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 101
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass 1111
    }}
    virtual_ipaddress {{
        10.1.1.1/24 dev eth0 label eth0:1
    }}
    track_script {{
        known
    }}
}}
"""
UNICAST = """\
vrrp_instance V {
    state BACKUP
    interface eth0
    virtual_router_id 7
    priority 90
    nopreempt
    unicast_src_ip 10.1.1.9
    unicast_peer {
        10.1.1.8
        10.1.1.7
    }
    virtual_ipaddress {
        10.1.1.1
    }
    track_interface {
        eth1
    }
}
"""
TWO_GROUPED = f"""\
global_defs {{
{_SAFE}    vrrp_garp_master_refresh 60
}}
vrrp_sync_group G {{
    group {{
        V
        W
    }}
    notify_master "/run/scripts/good master"
    notify_fault /run/scripts/good
}}
vrrp_instance V {{
    interface eth0
    virtual_router_id 10
    priority 100
    virtual_ipaddress {{
        10.1.1.1/24 brd 10.1.1.255 dev eth0
    }}
    virtual_routes {{
        10.9.0.0/16 via 10.1.1.254 dev eth0
    }}
}}
vrrp_instance W {{
    interface eth1
    virtual_router_id 20
    priority 100
    advert_int 2
    virtual_ipaddress {{
        10.2.1.1/24
    }}
    virtual_ipaddress_excluded {{
        10.2.1.2/24
        2001:db8::1/64
    }}
}}
"""
VERSION_6 = """\
global_defs {
    vrrp_version 3
}
vrrp_instance V {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 0.5
    virtual_ipaddress {
        fe80::51/64
        2001:db8::51/64
    }
}
"""
TRACKING = f"""\
global_defs {{
{_SAFE}}}
vrrp_script known {{
    script "/run/scripts/good"
    interval 5
    timeout 2
    weight 10
}}
track_file known {{
    file /run/tracked
    weight 1
}}
vrrp_track_process known {{
    process nginx
    weight 10
    quorum 1
    delay 0.5
}}
garp_group {{
    garp_interval 0.1
    interface eth0
}}
vrrp_instance V {{
    state BACKUP
    interface eth0
    use_vmac
    virtual_router_id 7
    priority 90
    virtual_ipaddress {{
        10.1.1.1
    }}
    virtual_rules {{
        from 10.1.1.0/24 table 100 priority 97
    }}
    track_file {{
        known weight 1
    }}
    track_process {{
        known
    }}
    track_script {{
        known
    }}
    notify "/run/scripts/good"
}}
static_ipaddress {{
    10.3.1.1/24 dev eth1
}}
static_routes {{
    10.8.0.0/16 via 10.1.1.254 dev eth0
}}
static_rules {{
    from 10.3.1.0/24 table 5 priority 5
}}
"""
INSECURE = UNICAST.replace("    virtual_ipaddress", "    notify_master /bin/true\n    virtual_ipaddress")
BALANCER = (
    HAPROXY
    + """\
virtual_server 10.1.1.1 80 {
    delay_loop 6
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.1.1.5 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
}
"""
)
PARAMETERS = """\
$VIP=10.1.1.1
$DEVICE=eth0
vrrp_instance V {
    interface ${DEVICE}
    virtual_router_id 7
    @hostA priority 100
    @^hostA priority 90
    virtual_ipaddress {
        ${VIP}/24 dev $DEVICE
        ~SEQ(N, 2, 4) 10.1.1.${N}/24
    }
}
"""
FILES = (HAPROXY, UNICAST, TWO_GROUPED, VERSION_6, TRACKING, INSECURE, PARAMETERS)
"""Those that generated lines are put into; the one with a balancer is refused whatever else it says."""
