"""The daemon: the loop, and what carries the kernel's reports to the routers and the routers' effects to the kernel.

Here lie the parts that hold state while vipd runs: open sockets, what is tracked, scripts, notifications, reload, and
what is reported to whoever asks. `vipd.protocol` decides what an event means to a router, and `vipd.kernel` knows how
to speak to Linux; neither is done here.
"""
