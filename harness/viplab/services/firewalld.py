"""firewalld with its defaults: the daemon itself, where a firewall's rules alone are the fault `firewall`."""

from __future__ import annotations

from viplab.services.service import Service

# It speaks D-Bus, and a lab of namespaces has none that runs.
_BUS = "[ -S /run/dbus/system_bus_socket ] || { mkdir -p /run/dbus && dbus-daemon --system --fork --nopidfile; }"
_READY = "for try in $(seq 100); do firewall-cmd --state && break; sleep 0.1; done"

FIREWALLD = Service(
    name="firewalld",
    present=("/usr/sbin/firewalld", "/usr/bin/dbus-daemon"),
    packages=("firewalld", "dbus"),
    files=lambda scenario, host: {},
    start=f"{{ {_BUS}; }} && firewalld --nopid && {_READY}",
    listens="firewall-cmd --state",
)
