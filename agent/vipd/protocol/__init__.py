"""The VRRP protocol: virtual routers and sync groups that are told what happened and when, and say what is to be done.

Here lie the table of transitions, the octets of adverts and announcements, the timers, and the log lines. Nothing here
opens a socket, reads a clock or blocks: time is an argument, in integer nanoseconds, and what is to be done comes back
as `effects`. It imports `vipd.config` and nothing else of vipd.
"""
