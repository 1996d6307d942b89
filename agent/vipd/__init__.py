"""vipd, a VRRP daemon whose protocol does no I/O.

Pure, time as an argument: `packet` (octets), `table` (states, events, transitions), `behaviour` (how daemons differ),
`voice` (what they log), `router` (one virtual router) and its `steps`, `conf` and `config` (keepalived.conf).
The shell around it: `daemon` (the loop), `surroundings` (what routers are told), `hands` (what they want done), `ports`
(who hears and sends where), `transport` (sockets), `netlink`, `clock` (timerfd), `syslog`, `cli`.
Nothing here may import `viplab`; the pure half may not import the shell.
"""

__version__ = "0.1.0"
