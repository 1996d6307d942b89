"""Makes virtual routers of `vrrp_instance` blocks: resolves what they inherit and refer to, and checks combinations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vipd.config.behaviour import SECOND_NS
from vipd.config.blocks import Statement
from vipd.config.model import Hooks, Route, RouterConfig, Rule, SyncGroup, Track, VirtualAddress
from vipd.config.problems import Problems
from vipd.config.rule_lines import FIRST_PREFERENCE
from vipd.config.strict import violations
from vipd.config.values import instead

WITHOUT_PREFERENCE = f"a rule without preference gets one, from {FIRST_PREFERENCE} down; give it one"
_REQUIRED = {"interface": "interface", "vrid": "virtual_router_id", "addresses": "virtual_ipaddress"}
_UNICAST = {"unicast_peers", "unicast_ttl", "check_unicast_src"}
_OWNER = 255
_AH = 2  # auth_type
_PASSWORD = 8  # octets: RFC 2338 section 5.3.10
_V2_SECONDS, _V3_NS = 255, 40_950_000_000
_CENTISECOND_NS = SECOND_NS // 100


class Block(NamedTuple):
    """The fields that a block fills in, and the statement that each field came from."""

    head: Statement
    fields: dict[str, Any]
    places: dict[str, Statement]

    @property
    def name(self) -> str:
        """The word after the keyword."""
        return self.head.words[1] if len(self.head.words) > 1 else ""


class Group(NamedTuple):
    """A sync group, and the block that it was read from."""

    block: Block
    config: SyncGroup


class Defaults(NamedTuple):
    """The values that instances inherit: fields of their own, `global_defs`, and the `garp_group`s."""

    fields: dict[str, Any]
    of_daemon: dict[str, Any]
    garp_groups: list[dict[str, Any]]


def routers(
    blocks: dict[str, Block],
    groups: list[Group],
    targets: dict[str, dict[str, Any]],
    defaults: Defaults,
    problems: Problems,
) -> Iterator[RouterConfig]:
    """Make the virtual routers of all correct blocks, and note the errors of the others."""
    group_of = {member: group for group in groups for member in group.config.members}
    seen: dict[tuple[object, ...], list[RouterConfig]] = {}
    for block in blocks.values():
        missing = [keyword for field, keyword in _REQUIRED.items() if not block.fields.get(field)]
        if block.fields.pop("no_addresses", False) and "virtual_ipaddress" in missing:
            missing.remove("virtual_ipaddress")
        if problems.within(block.head):
            continue
        if missing:
            problems.error(block.head, f"{block.name!r} has no {', no '.join(missing)}; add it")
            continue
        if block.fields.get("initial_master"):
            block.fields.setdefault("priority", _OWNER)  # as keepalived has it
        tracked, tracks = _tracks(block, targets, group_of.get(block.name), problems)
        router = _made(block, tracked, tracks, defaults, problems)
        _check(block, router, problems)
        router = _mended(block, router, problems)
        for field in ("interface", "addresses", "excluded", "routes", "rules"):
            named = devices(getattr(router, field))
            here = (name for name in named if not router.use_vmac or name != router.vmac_name)  # vipd makes that one
            problems.mention_all(here, block.places.get(field, block.head))
        if router.use_vmac and router.vmac:
            asker = problems.macvlan(router.vmac, router.name, block.places["*"])
            if asker != router.name:
                text = f"{router.vmac} is the macvlan of {asker!r}; this one gets another name"
                problems.warn(block.places["*"], text, repaired=True)
        own = router.source if router.unicast_peers else None
        others = seen.setdefault((router.interface, router.vrid, router.family, router.group, own), [])
        for other in others:
            if set(other.unicast_peers) & set(router.unicast_peers) or not (
                other.unicast_peers or router.unicast_peers
            ):
                problems.error(
                    block.places["vrid"],
                    f"{router.vrid} on {router.interface} belongs to {other.name!r}; take another",
                )
        others.append(router)
        yield router


def placed(addresses: tuple[VirtualAddress, ...], device: str) -> tuple[VirtualAddress, ...]:
    """Give each address a device."""
    return tuple(address if address.device else address._replace(device=device) for address in addresses)


def _placed(router: RouterConfig, addresses: tuple[VirtualAddress, ...]) -> tuple[VirtualAddress, ...]:
    """Give each address a device: the macvlan for those of its family on the own interface, as keepalived has it."""

    def device(address: VirtualAddress) -> str:
        if address.device and address.device != router.interface:
            return address.device
        return router.vmac_name if router.use_vmac and address.family == router.family else router.interface

    return tuple(address._replace(device=device(address)) for address in addresses)


def devices(value: str | tuple[VirtualAddress | Route | Rule, ...]) -> Iterator[str | None]:
    """The interfaces that a field of a configuration names."""
    if isinstance(value, str):
        yield value
        return
    for one in value:
        if isinstance(one, VirtualAddress):
            yield one.device
        elif isinstance(one, Route):
            yield from (hop.device for hop in one.hops)
        else:
            yield from (one.iif, one.oif)


def preferred(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Give each rule a preference; keepalived counts down from 16384 for those that have none."""
    preference, found = FIRST_PREFERENCE, []
    for rule in rules:
        found.append(rule if rule.preference >= 0 else rule._replace(preference=preference))
        preference -= rule.preference < 0
    return tuple(found)


def _tracks(
    block: Block, targets: dict[str, dict[str, Any]], group: Group | None, problems: Problems
) -> tuple[tuple[str, ...], tuple[Track, ...]]:
    """The interfaces that have to be up, and everything else that is tracked."""
    tracked, tracks = [], []
    sources = [block] if group is None else [block, group.block]
    for source in sources:
        seen: set[tuple[str, str]] = set()
        for kind, name, given_weight, given_reverse, where in source.fields.get("tracks", ()):
            if (kind, name) in seen:
                problems.warn(where, f"{name} is tracked twice, and the first is kept; remove one", repaired=True)
                continue
            seen.add((kind, name))
            if kind != "interface" and name not in targets[kind]:
                problems.error(where, f"{name!r} is not defined; {instead(name, targets[kind])}")
                continue
            if kind == "interface":
                problems.mention(name, where)
            target = targets[kind][name] if kind != "interface" else None
            default = (0, False) if target is None else (target.weight, target.reverse)
            weight = default[0] if given_weight is None else given_weight
            reverse = default[1] if given_reverse is None else given_reverse
            if kind == "interface" and name == block.fields["interface"]:
                problems.warn(where, f"{name} is the instance's own and tracked anyway; remove it", repaired=True)
                continue
            in_step = source is block and group is not None and not group.config.tracking_weight
            owner = block.fields.get("priority") == _OWNER
            if weight and kind != "process" and (in_step or owner):
                why = "members of a sync group stay in step" if in_step else "the priority of an owner stays 255"
                if kind == "file" and weight == 1:
                    problems.warn(where, f"the weight of {name} is taken for 0: {why}; write weight 0", repaired=True)
                    weight = 0
                elif kind == "interface" and in_step:
                    problems.warn(
                        where, f"the weight of {name} moves this member alone; see sync_group_tracking_weight", True
                    )
                else:
                    problems.warn(where, f"{name} is not tracked, since it has a weight: {why}", repaired=True)
                    continue
            if kind == "interface" and not weight and not reverse:
                tracked.append(name)
            else:
                tracks.append(Track(kind, name, weight, reverse))
    return tuple(dict.fromkeys(tracked)), tuple(dict.fromkeys(tracks))


def _made(
    block: Block, tracked: tuple[str, ...], tracks: tuple[Track, ...], defaults: Defaults, problems: Problems
) -> RouterConfig:
    fields = {**defaults.fields, "addresses": (), **block.fields, "tracked": tracked, "tracks": tracks}
    for name in ("repeat", "delay_ns"):
        # The instance's own garp_master_... do not count here, and in strict mode nothing does (keepalived 2.2.7).
        if f"garp_lower_prio_{name}" not in block.fields:
            of_daemon = defaults.fields.get(f"garp_lower_prio_{name}", defaults.fields.get(f"garp_{name}"))
            fields[f"garp_lower_prio_{name}"] = 0 if fields.get("strict") else of_daemon
    fields["hooks"] = Hooks(block.fields.get("hooks", ()), fields.pop("priority_changes", None))
    peers = fields.pop("unicast_peers", ())
    if any((low, high) != (0, 255) for _, low, high in peers):
        fields["unicast_ttl_ranges"] = tuple((low, high) for _, low, high in peers)
        fields["check_unicast_src"] = True
    router = RouterConfig(name=block.name, unicast_peers=tuple(peer for peer, _, _ in peers), **fields)
    if router.family == 6 and block.fields.get("version") == 2:
        problems.warn(block.places["version"], "version 2 has no IPv6; version 3 is used", repaired=True)
    if router.use_vmac:
        own = router.vmac_mac + bytes([router.vrid]) if len(router.vmac_mac) == 5 else router.vmac_mac
        router = router._replace(vmac_mac=own)
    for garp_group in defaults.garp_groups:
        if router.interface in (garp_group.get("interface"), *garp_group.get("interfaces", ())):
            intervals = {field: garp_group[field] for field in garp_group if field.endswith("_ns")}
            router = router._replace(**intervals)
    if router.garp_extra_ns and not router.garp_refresh_ns:
        # All addresses are refreshed, those on other interfaces with them.
        router = router._replace(garp_refresh_ns=router.garp_extra_ns)
    if any(rule.preference < 0 for rule in router.rules):
        problems.warn(block.places["rules"], WITHOUT_PREFERENCE, repaired=True)
    return router._replace(
        version=router.wire_version,
        group=router.group or defaults.of_daemon.get("group6" if router.family == 6 else "group4", ""),
        addresses=_placed(router, router.addresses),
        excluded=_placed(router, router.excluded),
        rules=preferred(router.rules),
    )


def _check(block: Block, router: RouterConfig, problems: Problems) -> None:
    """Note fields that exclude each other."""

    def wrong(field: str, text: str) -> None:
        problems.error(block.places.get(field, block.head), text)

    if router.interface == "lo":
        wrong("interface", "lo is the loopback, which leads to no other router; name another")
    interval_s = f"{router.advert_int_ns / SECOND_NS:g}"
    if router.version == 2 and (router.advert_int_ns % SECOND_NS or router.advert_int_ns > _V2_SECONDS * SECOND_NS):
        wrong("advert_int_ns", f"{interval_s}: version 2 has whole seconds from 1 to 255; round it, or add: version 3")
    if router.version == 3 and (router.advert_int_ns % _CENTISECOND_NS or router.advert_int_ns > _V3_NS):
        wrong("advert_int_ns", f"{interval_s}: version 3 has 0.01 to 40.95 seconds in steps of 0.01")
    for address in router.addresses:
        if address.family != router.family:
            wrong("addresses", f"{address.address} is of another family; move it to virtual_ipaddress_excluded")
    for field, addresses in (("addresses", router.addresses), ("excluded", router.excluded)):
        for address in addresses:
            if router.use_vmac and address.use_vmac:
                wrong(field, f"use_vmac of {address.address}: the instance has a macvlan already; remove it")
    if len(router.addresses) > 255:
        wrong("addresses", f"{len(router.addresses)} addresses do not fit in an advert; 255 do")
    for field, values in (("source", (router.source,)), ("unicast_peers", router.unicast_peers)):
        for value in values:
            if value and (":" in value) != (router.family == 6):
                wrong(field, f"{value} is not of the family of the instance's addresses")
    if router.group and (":" in router.group) != (router.family == 6):
        wrong("group", f"{router.group} is not of the family of the instance's addresses")
    if router.use_vmac and router.unicast_peers and not router.vmac_xmit_base:
        wrong("*", "with unicast_peer it needs vmac_xmit_base; add it")
    if bool(router.auth_type) != bool(router.auth_pass):
        wrong("auth_type" if router.auth_type else "auth_pass", "authentication takes both auth_type and auth_pass")
    for text in violations(router) if router.strict else ():
        wrong("strict", text)


def _mended(block: Block, router: RouterConfig, problems: Problems) -> RouterConfig:
    """The router as it will run: what keepalived corrects is corrected the same way, with a warning."""
    if router.auth_type and router.version == 3:
        where = block.places["auth_type"]
        problems.warn(where, "version 3 has no authentication; adverts are sent without", repaired=True)
        router = router._replace(auth_type=0, auth_pass=b"")
    if len(router.auth_pass) > _PASSWORD:
        where = block.places["auth_pass"]
        problems.warn(where, "is cut after its first 8 characters; write no more", repaired=True)
        router = router._replace(auth_pass=router.auth_pass[:_PASSWORD])
    if router.vmac_xmit_base and not router.use_vmac:
        problems.warn(block.places["vmac_xmit_base"], "has its effect only with use_vmac", repaired=True)
        router = router._replace(vmac_xmit_base=False)
    if router.promote_secondaries and router.use_vmac:
        problems.warn(block.places["promote_secondaries"], "is not needed with use_vmac; it is left out", repaired=True)
        router = router._replace(promote_secondaries=False)
    if not router.unicast_peers:
        named = {
            field for field, place in block.places.items() if field in _UNICAST or place.keyword == "unicast_src_ip"
        }
        for field in sorted(named):
            what = "there is no unicast peer, so adverts go to the group; name one in unicast_peer, or remove this"
            problems.warn(block.places[field], what, repaired=True)
    if router.initial_master and router.auth_type == _AH:
        problems.warn(block.places["initial_master"], "with auth_type AH it is BACKUP; write that", repaired=True)
        router = router._replace(initial_master=False)
    if router.initial_master and not router.preempt:
        problems.warn(block.places["preempt"], "has its effect only with state BACKUP", repaired=True)
    if router.preempt_delay_ns and (router.initial_master or not router.preempt):
        what = "has its effect only with state BACKUP and without nopreempt; it is left out"
        problems.warn(block.places["preempt_delay_ns"], what, repaired=True)
        router = router._replace(preempt_delay_ns=0)
    if router.priority == _OWNER and not router.preempt:
        problems.warn(block.places["preempt"], "an owner always preempts; it is left out", repaired=True)
        router = router._replace(preempt=True)
    if router.strict:
        accept = router.priority == _OWNER if router.accept is None else router.accept
        quiet = True if router.lower_prio_no_advert is None else router.lower_prio_no_advert
        router = router._replace(accept=accept, lower_prio_no_advert=quiet)
    return router
