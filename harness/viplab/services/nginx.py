"""nginx on the virtual address, which answers by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viplab.addresses import HTTP_PORT
from viplab.services.service import Service
from viplab.types import HostName

if TYPE_CHECKING:
    from viplab.scenario.model import Scenario

_CONFIGURATION = "/etc/nginx/nginx.conf"
# In a lab of namespaces /var/lib is the machine's own.
_TEMPORARY = "".join(f"    {kind}_temp_path /run/nginx-{kind};\n" for kind in ("fastcgi", "proxy", "scgi", "uwsgi"))


def _files(scenario: Scenario, host: HostName) -> dict[str, str]:
    """Bound to the virtual address alone; a connection may ask as often as it wants."""
    text = f"""\
user www-data;
pid /run/nginx.pid;
error_log syslog:server=unix:/dev/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path /run/nginx-body;
{_TEMPORARY}    keepalive_requests 1000000;
    server {{
        listen {scenario.vrrp.vip}:{HTTP_PORT};
        return 200 "{host}\\n";
    }}
}}
"""
    return {_CONFIGURATION: text}


NGINX = Service(
    name="nginx",
    present=("/usr/sbin/nginx",),
    packages=("nginx",),
    files=_files,
    start=f"nginx -e stderr -c {_CONFIGURATION}",
)
