"""The kernel's interfaces: netlink, sockets, nftables, timerfd, signals, processes, files, users, and the system's log.

Each module wraps one of them, holds no state of the protocol and decides nothing. It imports `vipd.config` and
`vipd.protocol` for their data, never `vipd.daemon`.
"""
