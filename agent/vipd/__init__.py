"""vipd, a VRRP daemon whose protocol does no I/O.

`config` and `protocol` are pure: no file, no socket, no clock. `kernel` wraps what Linux offers, `daemon` joins the
three, `cli` starts it. `tools` are for those who build it. Imports go that way only: cli, daemon, kernel, protocol,
config. Nothing here imports `viplab`.
"""

__version__ = "0.1.0"
