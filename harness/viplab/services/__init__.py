"""What runs on top of the virtual address, or beside it on the hosts: programs that are no subject, a file each.

A service is data: its configuration of a scenario, the command that starts it, how one sees that it listens. What it
cannot do is a result and no failure of the bench, so a service that does not start is recorded and not raised.
"""

from viplab.services.firewalld import FIREWALLD
from viplab.services.haproxy import HAPROXY
from viplab.services.nat import CONNTRACKD, NAT
from viplab.services.nginx import NGINX
from viplab.services.service import Service, Started

SERVICES: dict[str, Service] = {service.name: service for service in (HAPROXY, NGINX, NAT, CONNTRACKD, FIREWALLD)}
"""Every service that there is, by the name that a scenario gives it."""

__all__ = ["SERVICES", "Service", "Started"]
