"""Where an experiment takes place: sandbox, guest images, libvirt networks and domains, saved memory, SSH.

Knows nothing of VRRP: to the lab a daemon is a command that it runs in a guest.
"""
