"""Names of macvlans: as keepalived 2.2.7 was measured to give them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.keepalived_conf import router
from vipd.config.macvlan_names import named
from vipd.config.model import RouterConfig, VirtualAddress
from vipd.config.parser import Parsed, parse

_VIP = {4: "10.1.1.1/24", 6: "fd00::1/64"}


def conf(*instances: tuple[str, str, int], prefix: str = "") -> Parsed:
    """Instances of one number by interface, name asked for, and family."""
    text = f"global_defs {{\nvmac_prefix {prefix}\n}}\n" if prefix else ""
    for number, (interface, name, family) in enumerate(instances):
        text += (
            f"vrrp_instance V{number} {{\ninterface {interface}\nvirtual_router_id 107\nuse_vmac {name}\n"
            f"virtual_ipaddress {{\n{_VIP[family]}\n}}\n}}\n"
        )
    return parse(text, "f")


def names(*instances: tuple[str, str, int], prefix: str = "") -> list[str]:
    routers = conf(*instances, prefix=prefix).config.routers
    assert all(one.addresses[0].device == one.vmac_name for one in routers)
    return [one.vmac_name for one in routers]


def test_instances_of_one_number_get_a_name_each() -> None:
    assert names(("eth0", "", 4), ("eth1", "", 4), ("eth2", "", 4)) == ["vrrp.107", "vrrp1.107", "vrrp2.107"]
    assert names(("eth0", "", 4), ("eth0", "", 6), ("eth1", "", 6)) == ["vrrp.107", "vrrp6.107", "vrrp1.107"]
    assert names(("eth0", "", 6)) == ["vrrp.107"]


def test_a_name_that_another_instance_asks_for_is_left_to_it() -> None:
    assert names(("eth0", "", 4), ("eth1", "vrrp.107", 4)) == ["vrrp1.107", "vrrp.107"]
    assert names(("eth0", "vrrp.107", 4), ("eth1", "", 4)) == ["vrrp.107", "vrrp1.107"]


def test_of_two_that_ask_for_one_name_the_first_gets_it_and_the_test_of_the_file_fails() -> None:
    twice = (("eth0", "same", 4), ("eth1", "same", 4))
    assert names(*twice) == ["same", "vrrp.107"]
    diagnostics = conf(*twice).diagnostics
    assert diagnostics.repaired == 1
    assert diagnostics.warnings == ("f:12: use_vmac: same is the macvlan of 'V0'; this one gets another name",)


def test_a_prefix_is_cut_so_that_the_name_fits() -> None:
    found = names(("eth0", "", 4), ("eth1", "", 4), ("eth0", "", 6), prefix="averylongprefix")
    assert found == ["averylongpr.107", "averylongp1.107", "averylongp6.107"]


def test_addresses_of_its_family_on_its_interface_are_on_the_macvlan_and_others_are_not() -> None:
    text = """
vrrp_instance V {
    interface eth0
    virtual_router_id 7
    use_vmac
    virtual_ipaddress {
        10.1.1.1/24
        10.1.1.2/24 dev eth0
    }
    virtual_ipaddress_excluded {
        10.1.1.3/24 dev eth1
        fd00::1/64
        fd00::2/64 dev eth0
    }
}
"""
    assert [one.device for one in router(text).served] == ["vrrp.7", "vrrp.7", "eth1", "eth0", "eth0"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "a", "vrrp.7", "vrrp1.7", "eth0"]), st.sampled_from([7, 8]), st.booleans()),
        max_size=12,
    ),
    st.sets(st.sampled_from(["eth0", "vrrp.7", "vrrp6.7", "vrrp1.7", "vrrp.8", "a"])),
)
def test_no_two_macvlans_share_a_name_and_none_has_one_that_is_taken(
    asked: list[tuple[str, int, bool]], taken: set[str]
) -> None:
    routers = [
        RouterConfig(
            f"V{n}", "eth0", vrid, (VirtualAddress("fd00::1" if six else "10.1.1.1", 24, name or f"vrrp.{vrid}"),),
            use_vmac=True, vmac=name,
        )
        for n, (name, vrid, six) in enumerate(asked)
    ]  # fmt: skip
    found = named(routers, "vrrp", taken)
    given_names = [one.vmac_name for one in found]
    assert len(set(given_names)) == len(given_names)
    assert not taken & {*given_names}
    assert all(one.addresses[0].device == one.vmac_name for one in found)
    assert named(found, "vrrp", taken) == found, "whoever has a name keeps it"
