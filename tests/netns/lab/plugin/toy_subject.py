"""The recipe "add a subject" of CONTRIBUTING.md: a daemon of forty lines that can be master and backup."""

from viplab.faults import Effect
from viplab.subjects.family import NONE, Family, TimingModel
from viplab.subjects.subject import Subject

DAEMON = """#!/usr/bin/python3
import os, socket, struct, subprocess, sys, time

interface, group, vrid, priority, vip, device = sys.argv[1:]
vrid, priority = int(vrid), int(priority)
open("/run/toy.pid", "w").write(str(os.getpid()))
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
index = socket.if_nametoindex(interface)
member = struct.pack("=4s4si", socket.inet_aton(group), bytes(4), index)
wire.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
wire.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
body = struct.pack("!BBBBBBH", 0x21, vrid, priority, 1, 0, 1, 0) + socket.inet_aton(vip.split("/")[0]) + bytes(8)
total = sum(struct.unpack("!%dH" % (len(body) // 2), body))
total = (total >> 16) + (total & 0xFFFF)
advert = body[:6] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + body[8:]
mac = bytes.fromhex(open("/sys/class/net/%s/address" % device).read().strip().replace(":", ""))
address = socket.inet_aton(vip.split("/")[0])
garp = b"\\xff" * 6 + mac + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 1) + mac + address + bytes(6) + address
down = 3 + (256 - priority) / 256
master, due = False, time.monotonic() + down
while True:
    wire.settimeout(max(0.001, due - time.monotonic()))
    try:
        data = wire.recv(2048)
        if data[21] == vrid and (not master and data[22] >= 0 or data[22] > priority):
            if master:
                subprocess.run(["ip", "address", "del", vip, "dev", device])
            master, due = False, time.monotonic() + (down if data[22] else down - 3)
        continue
    except TimeoutError:
        pass
    wire.sendto(advert, (group, 0))
    if not master:
        subprocess.run(["ip", "address", "add", vip, "dev", device])
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind((device, 0))
            link.send(garp)
    master, due = True, time.monotonic() + 1
"""


class Toy(Subject):
    """A VRRP daemon that does no more than it must."""

    name = "toy"
    profiles = (Family("toy", TimingModel(outage={Effect.DAEMON_LOST: NONE})),)
    present = ("/usr/bin/python3",)
    start_command = "sh /etc/toy.sh"
    stop_command = "kill $(cat /run/toy.pid)"

    def configuration(self, scenario, host):
        """A shell script that starts it with its arguments."""
        vrrp, node = scenario.vrrp, scenario.hosts[host]
        line = f"setsid /usr/local/sbin/toy {vrrp.interface} 224.0.0.18 {vrrp.virtual_router_id} {node.priority}"
        return {"/etc/toy.sh": f"{line} {vrrp.vip}/24 eth1 </dev/null >/dev/null 2>&1 &\n"}

    def install(self, guest):
        """Its program."""
        guest.put(DAEMON.encode(), "/usr/local/sbin/toy", 0o755)

    def version(self, guest):
        """It has had no other."""
        return "toy 1"

    def processes(self, guest):
        """The one process."""
        return [int(guest.get("/run/toy.pid") or 0)]
