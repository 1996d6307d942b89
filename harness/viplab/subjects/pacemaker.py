"""Pacemaker on corosync, which speak no VRRP: a cluster agrees where the VIP is, and IPaddr2 puts it there.

Nobody advertises, so that gratuitous ARP tells who has the VIP. Corosync's token goes round by UDP between the
interfaces that a scenario names for adverts, and its timers are at their defaults, whatever a VRRP daemon would have.
Its scheduling is not: it is in line with every other process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from viplab.addresses import address_of
from viplab.faults import Effect
from viplab.subjects.family import NONE, Family, Terms, TimingModel
from viplab.subjects.subject import Subject
from viplab.types import HostName, Protocol

if TYPE_CHECKING:
    from viplab.lab.guest import Guest
    from viplab.scenario.model import Scenario

# corosync.conf(5): `token` is 3 s, and `consensus` 1.2 times that; a ring that is idle holds the token for `hold`,
# which is 561 ms, so that it may have been seen last so long before the fault.
_LOST = Terms(fixed_s=(3.0 + 3.6 - 0.561, 3.0 + 3.6))
# How often the interfaces that are tracked are looked at; a cluster that is whole waits for nothing else.
_LOOK_S = 1
PACEMAKER_2 = Family(
    "pacemaker-2",
    TimingModel(
        outage={
            Effect.DAEMON_LOST: NONE,
            Effect.GIVES_UP: Terms(at_most=True, fixed_s=(0.0, _LOOK_S)),
            Effect.HOST_LOST: _LOST,
            Effect.RETURNS: Terms(at_most=True),
        },
        # The cluster's own work: it elects who decides, decides, and runs scripts one after the other.
        held_back_s=1.0,
    ),
    starts_processes=True,
)
_COROSYNC, _CIB = "/etc/corosync/corosync.conf", "/etc/pacemaker/cib.xml"
_KEPT = "/var/lib/pacemaker/cib/cib.xml"
_LOG = "/var/log/messages"
_AGENTS = "/usr/lib/ocf/resource.d/heartbeat"
_PARAMETERS = {"brd": "broadcast", "dev": "nic"}
"""Words of a line of `virtual_ipaddress`, and what IPaddr2 calls them."""
_GROUP = "addresses"
# A cluster elects who decides within three seconds; with many addresses it is not idle for longer.
_SETTLES_S = 20


class Pacemaker(Subject):
    """Pacemaker 2 on corosync 3, as Debian packages them."""

    name = "pacemaker"
    profiles = (PACEMAKER_2,)
    present = (
        *("/usr/sbin/corosync", "/usr/sbin/pacemakerd", "/usr/sbin/crmadmin"),
        *(f"{_AGENTS}/IPaddr2", f"{_AGENTS}/ethmonitor", "/usr/bin/arping", "/usr/bin/bc"),
    )
    packages = ("corosync", "pacemaker", "pacemaker-cli-utils", "resource-agents", "iputils-arping", "bc")
    # Corosync has no multicast to do without.
    keywords = frozenset({"interface", "virtual_ipaddress", "track_interface", "nopreempt", "unicast"})
    has_parent = True
    # A host that has been in the cluster before goes on from what that has agreed on since.
    start_command = (
        f"install -d -m 1755 /run/resource-agents && "
        f"{{ [ -e {_KEPT} ] || install -o hacluster -g haclient -m 600 {_CIB} {_KEPT}; }} && corosync && "
        "(PCMK_logfile=none setsid pacemakerd </dev/null >/dev/null 2>&1 &) && "
        "for try in $(seq 250); do pidof pacemaker-controld >/dev/null && break; sleep 0.02; done"
    )
    # As systemd does: Pacemaker first, which moves its resources to other hosts.
    stop_command = (
        "kill $(pidof pacemakerd) && while pidof pacemakerd >/dev/null; do sleep 0.02; done; "
        "kill $(pidof corosync) && while pidof corosync >/dev/null; do sleep 0.02; done"
    )

    def start(self, guest: Guest) -> None:
        """Start it, and wait for some seconds until the host knows who decides in its cluster, and that is idle."""
        logged = int(guest.run(f"wc -l <{_LOG}").checked().stdout)
        super().start(guest)
        # As long as nobody decides, crmadmin does not wait for it but asks without pause, with a processor of its own.
        elected = f'tail -n +{logged + 1} {_LOG} | grep -qE "S_[A-Z_]+ -> S_(IDLE|NOT_DC)"'
        decides, idle = "dc=$(crmadmin --quiet --dc_lookup)", "crmadmin --quiet --status=$dc | grep -q S_IDLE"
        loop = f"until {elected} && {decides} && [ $dc ] && {idle}; do sleep 0.2; done"
        guest.run(f"timeout {_SETTLES_S} sh -c '{loop}' 2>/dev/null")

    def configuration(self, scenario: Scenario, host: HostName) -> dict[str, str]:
        """corosync.conf, and what the cluster begins with; every host has the same."""
        return {_COROSYNC: corosync_conf(scenario), _CIB: cib(scenario)}

    def protocol(self, scenario: Scenario) -> Protocol:
        """None that advertises."""
        return "none"

    def version(self, guest: Guest) -> str:
        """Both in one line, such as `Pacemaker 2.1.5, corosync 3.1.7`."""
        command = (
            "pacemakerd --version | sed -n 's/^Pacemaker \\([0-9.]*\\).*/Pacemaker \\1/p'; "
            "corosync -v | sed -n \"s/.*version '\\(.*\\)'.*/corosync \\1/p\""
        )
        return ", ".join(guest.run(command).checked().stdout.splitlines())

    def processes(self, guest: Guest) -> list[int]:
        """corosync, pacemakerd, and what that has started."""
        pids = guest.run("pidof corosync && pidof pacemakerd && pgrep -P $(pidof pacemakerd)").stdout.split()
        if len(pids) < 2:
            raise self.gone(guest, "does not run")
        return [int(pid) for pid in pids]


def _node(host: HostName) -> str:
    """What the cluster calls a host; it advises against capitals."""
    return host.lower()


def corosync_conf(scenario: Scenario) -> str:
    """The file of that name: who is in the cluster, and that of two hosts one may go on alone."""
    hosts = sorted(scenario.daemons)
    nodes: list[dict[str, str | int]] = [
        {"nodeid": number, "name": _node(host), "ring0_addr": address_of(host, scenario.vrrp.interface)}
        for number, host in enumerate(hosts, 1)
    ]
    pair = {"two_node": 1, "wait_for_all": 0} if len(hosts) == 2 else {}
    return (
        _section("totem", {"version": 2, "cluster_name": "viplab", "transport": "knet"})
        + f"nodelist {{\n{''.join(_section('node', node, '  ') for node in nodes)}}}\n"
        + _section("quorum", {"provider": "corosync_votequorum", **pair})
        # The hosts share their processors: what one does in real time keeps all others waiting, and what measures.
        + _section("system", {"sched_rr": "no", "priority": 0})
        + _section("logging", {"to_syslog": "yes", "to_stderr": "no"})
    )


def _section(name: str, values: dict[str, str | int], margin: str = "") -> str:
    lines = "".join(f"{margin}  {key}: {value}\n" for key, value in values.items())
    return f"{margin}{name} {{\n{lines}{margin}}}\n"


def cib(scenario: Scenario) -> str:
    """What the cluster begins with: an IPaddr2 for each address, all on one host, whose priority is its score."""
    root = Element("cib", {"validate-with": "pacemaker-3.8", "admin_epoch": "0", "epoch": "1", "num_updates": "0"})
    configuration = SubElement(root, "configuration")
    SubElement(root, "status")
    options = SubElement(SubElement(configuration, "crm_config"), "cluster_property_set", id="options")
    # Nothing in a lab can switch a host off; and 20 s is long to look for others before the first host begins alone.
    _add_pairs(options, {"stonith-enabled": "false", "dc-deadtime": "2s"})
    SubElement(configuration, "nodes")
    resources, constraints = (SubElement(configuration, part) for part in ("resources", "constraints"))
    group = SubElement(resources, "group", id=_GROUP)
    for number, line in enumerate(scenario.vrrp.virtual_ipaddress):
        _add_resource(group, f"address-{number}", "IPaddr2", _parameters(line), 10)
    for host, node in sorted(scenario.daemons.items()):
        place = {"id": f"prefers-{_node(host)}", "rsc": _GROUP, "node": _node(host), "score": str(node.priority)}
        SubElement(constraints, "rsc_location", place)
    for interface in scenario.vrrp.track_interface:
        _add_tracking(resources, constraints, interface)
    if scenario.vrrp.nopreempt:
        defaults = SubElement(SubElement(configuration, "rsc_defaults"), "meta_attributes", id="defaults")
        _add_pairs(defaults, {"resource-stickiness": "INFINITY"})
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _parameters(line: str) -> dict[str, str]:
    """What IPaddr2 is told of a line such as `192.168.122.50/24 dev eth1 label eth1:0`."""
    address, *words = line.split()
    ip, _, prefix = address.partition("/")
    given = dict(zip(words[::2], words[1::2], strict=False))
    told = {"ip": ip, "cidr_netmask": prefix or "32"}
    told |= {_PARAMETERS[word]: value for word, value in given.items() if word in _PARAMETERS}
    label = given.get("label", "").partition(":")[2]
    return told | ({"iflabel": label} if label else {})


def _add_tracking(resources: Element, constraints: Element, interface: str) -> None:
    """An ethmonitor on each host, which looks at the link alone and at once, and no address where it is down."""
    attribute = f"ethmonitor-{interface}"
    clone = SubElement(resources, "clone", id=f"{attribute}-clone")
    look = {"interface": interface, "link_status_only": "true", "repeat_count": "1"}
    _add_resource(clone, attribute, "ethmonitor", look, _LOOK_S)
    place = SubElement(constraints, "rsc_location", id=f"needs-{interface}", rsc=_GROUP)
    rule = {"id": f"without-{interface}", "score": "-INFINITY", "boolean-op": "or"}
    down = SubElement(place, "rule", rule)
    SubElement(down, "expression", id=f"unknown-{interface}", attribute=attribute, operation="not_defined")
    SubElement(down, "expression", id=f"down-{interface}", attribute=attribute, operation="ne", value="1")


def _add_resource(parent: Element, name: str, agent: str, parameters: dict[str, str], every_s: int) -> None:
    resource = {"id": name, "class": "ocf", "provider": "heartbeat", "type": agent}
    primitive = SubElement(parent, "primitive", resource)
    _add_pairs(SubElement(primitive, "instance_attributes", id=f"{name}-parameters"), parameters)
    looked = {"id": f"{name}-monitor", "name": "monitor", "interval": f"{every_s}s", "timeout": "20s"}
    SubElement(SubElement(primitive, "operations"), "op", looked)


def _add_pairs(parent: Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, "nvpair", id=f"{parent.get('id')}-{name}", name=name, value=value)
