"""No octets that a socket can hand over may raise, or move a router that refuses them: `python fuzz_packet.py -runs=N`.

The first octet of the input chooses one of the routers below, whether it is master, and whether checksum or digest are
made right, without which nothing random would ever come past them.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["vipd"]):
    from vipd.config.behaviour import PRESETS, SECOND_NS
    from vipd.config.model import RouterConfig, VirtualAddress
    from vipd.protocol.ah import AuthenticationHeader
    from vipd.protocol.checksum import checksum, pseudo_header
    from vipd.protocol.effects import Log
    from vipd.protocol.packet import GROUPS, ipv4_header, open_datagram
    from vipd.protocol.router import Router
    from vipd.protocol.validation import Discard

V4 = (VirtualAddress("192.0.2.50", 24, "eth0"),)
V6 = (VirtualAddress("fe80::50", 64, "eth0"), VirtualAddress("2001:db8::50", 64, "eth0"))
PEER, OWN = 0xC0000203, 0xC0000202
CONFIGS = (
    RouterConfig("V2", "eth0", 51, V4),
    RouterConfig("PASS", "eth0", 51, V4, auth_type=1, auth_pass=b"secret"),
    RouterConfig("AH", "eth0", 51, V4, auth_type=2, auth_pass=b"secret"),
    RouterConfig("V3", "eth0", 51, V4, version=3),
    RouterConfig("UNICAST", "eth0", 51, V4, version=3, unicast_peers=("192.0.2.3",), check_unicast_src=True),
    RouterConfig("DUAL", "eth0", 51, V4, version=3, dual=True),
    RouterConfig("V6", "eth0", 51, V6, version=3, native_ipv6=True),
    RouterConfig("OWNER", "eth0", 51, V4, priority=255),
)
RIGHT = 0x40


def routers() -> list[tuple[Router, Router]]:
    """A backup and a master of each kind."""
    made = []
    for config in CONFIGS:
        pair = []
        for _ in range(2):
            router = Router(config, PRESETS["keepalived-2"], OWN)
            router.started({"eth0": True}, SECOND_NS)
            pair.append(router)
        pair[1].handle_deadline(10 * SECOND_NS)
        for router in pair:
            router.drain()
        made.append((pair[0], pair[1]))
    return made


ROUTERS = routers()


def made_right(config: RouterConfig, octets: bytes) -> bytes:
    """The same message with a checksum that fits."""
    if len(octets) < 8:
        return octets
    blank = octets[:6] + b"\0\0" + octets[8:]
    pseudo = 0
    if octets[0] >> 4 == 3:
        pseudo = pseudo_header(PEER, GROUPS[config.family], len(octets), 112)
    return blank[:6] + checksum(blank, pseudo).to_bytes(2, "big") + blank[8:]


def test_one_input(data: bytes) -> None:
    """Hand one packet to one router."""
    if not data:
        return
    choice, octets = data[0], data[1:]
    kind = choice & 7
    config, router = CONFIGS[kind], ROUTERS[kind][choice >> 7]
    now = 10 * SECOND_NS
    if config.family == 6:
        payload = made_right(config, octets) if choice & RIGHT else octets
        check(router, payload, PEER, 255, now, 0, b"")
        return
    if choice & RIGHT:
        message = made_right(config, octets)
        if config.auth_type == 2:
            seal = AuthenticationHeader(config.auth_pass, 0, 255)
            octets = seal.seal(message, PEER, GROUPS[4])
        else:
            octets = ipv4_header(PEER, GROUPS[4], len(message), 112, 0, 255, 0) + message
    datagram = open_datagram(octets)
    if not isinstance(datagram, Discard):
        check(router, datagram.payload, datagram.source, datagram.ttl, now, datagram.destination, datagram.header)


def check(router: Router, payload: bytes, source: int, ttl: int, now: int, destination: int, header: bytes) -> None:
    """What is refused is counted, and changes nothing."""
    before = router.state, router.deadline()
    reason = router.advert_received(payload, source, ttl, now, destination, header)
    effects = router.drain()
    if reason is not None:
        assert (router.state, router.deadline()) == before
        assert all(isinstance(effect, Log) for effect in effects)
    elif router.state is not before[0]:
        ROUTERS[:] = routers()


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
