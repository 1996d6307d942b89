"""On a libvirt that others use too, what a lab made is found by its label alone, and only once that lab has ended."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("libvirt")

import libvirt

from viplab import doctor
from viplab.errors import HostError, InputError, LabError
from viplab.lab.image import Image
from viplab.lab.libvirt import examine, labelled, networks, pool, shared
from viplab.lab.libvirt.label import Label, label_in, new_label, parse_label
from viplab.lab.libvirt.uri import check_uri
from viplab.lab.owner import Owner, this_process
from viplab.lab.registry import connected_to, lab_kind

NUMBERS = st.integers(0, 2**40).map(str)
OWNERS = st.builds(Owner, st.integers(1, 2**22), NUMBERS, st.from_regex(r"[0-9a-f]{8}", fullmatch=True), NUMBERS)


def ended() -> Owner:
    """A process that was there and has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        return replace(this_process(), pid=process.pid)


class Thing:
    """A network, a domain or a pool, and whether it is still there."""

    def __init__(self, xml: str, name: str) -> None:
        self.there, self._xml, self._name = True, xml, name

    def XMLDesc(self) -> str:  # noqa: N802 - libvirt's name
        return self._xml

    def name(self) -> str:
        return self._name

    def isActive(self) -> bool:  # noqa: N802
        return self.there

    def isPersistent(self) -> bool:  # noqa: N802
        return False

    def destroy(self) -> None:
        self.there = False


class Libvirt:
    """A connection to one that has these things."""

    def __init__(self, domains: list[Thing], nets: list[Thing], pools: list[Thing]) -> None:
        self.listAllDomains = lambda: domains
        self.listAllNetworks = lambda: nets
        self.listAllStoragePools = lambda: pools

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing be looked for in the network namespace that the tests run in."""
    monkeypatch.setattr(labelled, "marked", lambda lab: iter(()))


def ours(label: Label, what: str) -> Thing:
    name = label.name(what)
    return Thing(f"<thing><name>{name}</name>{label.metadata}</thing>", name)


def pool_at(path: Path) -> Thing:
    return Thing(f"<pool type='dir'><target><path>{path}</path></target></pool>", path.name)


@given(OWNERS)
def test_a_label_is_read_as_it_was_written(owner: Owner) -> None:
    label = new_label(owner)
    assert parse_label(label.text) == label
    name = label.name("interconnect")
    assert label_in(f"<network><name>{name}</name><uuid>1</uuid>{label.metadata}</network>") == label


@given(st.text())
def test_a_word_that_was_not_written_as_a_label_is_none(text: str) -> None:
    found = parse_label(text)
    assert found is None or found.text == text


def test_a_copy_that_somebody_made_of_ours_is_theirs() -> None:
    label = new_label(this_process())
    assert label_in(f"<domain><name>my-clone</name>{label.metadata}</domain>") is None


def test_an_owner_lives_until_it_ends_and_no_later_process_or_boot_is_taken_for_it() -> None:
    me = this_process()
    assert me.alive is True
    assert ended().alive is False
    assert replace(me, born="1").alive is False, "another process has its number"
    assert replace(me, boot="00000000", namespace="1").alive is False, "the machine was booted since"
    assert replace(me, namespace="1").alive is None, "its number means nothing here"


@pytest.fixture
def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Thing], list[Thing], list[Thing]]:
    """What a dead lab, a living one, and one in another PID namespace have; and what is somebody else's."""
    dead, living = new_label(ended()), new_label(this_process())
    elsewhere = new_label(replace(living.owner, namespace="1"))
    (tmp_path / dead.text / "memory").mkdir(parents=True)
    (tmp_path / living.text).mkdir()
    domains = [ours(dead, "centOS-hostA"), ours(living, "centOS-hostA"), ours(elsewhere, "centOS-hostA")]
    theirs = Thing("<network><name>viplab-12345678-public</name></network>", "viplab-12345678-public")
    nets = [ours(dead, "mgmt"), ours(living, "mgmt"), theirs]
    pools = [pool_at(tmp_path / dead.text), pool_at(tmp_path / living.text), pool_at(tmp_path / "default")]
    monkeypatch.setattr(libvirt, "open", lambda _: Libvirt(domains, nets, pools))
    return domains, nets, pools


def test_clean_removes_what_ended_labs_left_and_nothing_else(
    three: tuple[list[Thing], list[Thing], list[Thing]], tmp_path: Path
) -> None:
    told = list(labelled.clean("qemu:///system", dry_run=False))
    assert [[one.there for one in things] for things in three] == [[False, True, True]] * 2 + [[False, True, True]]
    assert len([why for _, why in told if why is None]) == 3
    assert sorted(why for _, why in told if why) == sorted(
        [
            *[f"its lab is up (process {this_process().pid})"] * 3,
            f"process {this_process().pid} of another PID namespace made it, perhaps a container's; clean up in there",
        ]
    )
    assert len(list(tmp_path.iterdir())) == 1, "of the folders the dead lab's is gone, with what is in it"


def test_clean_goes_on_where_one_thing_is_not_let_go_of_and_says_so_at_the_end(
    three: tuple[list[Thing], list[Thing], list[Thing]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise libvirt.libvirtError("busy")

    domains, nets, pools = three
    monkeypatch.setattr(domains[0], "destroy", refuse)
    with pytest.raises(LabError, match="cannot be removed"):
        list(labelled.clean("qemu:///system", dry_run=False))
    assert [things[0].there for things in (domains, nets, pools)] == [True, False, False]


def test_a_dry_run_says_the_same_and_removes_nothing(
    three: tuple[list[Thing], list[Thing], list[Thing]], tmp_path: Path
) -> None:
    told = list(labelled.clean("qemu:///system", dry_run=True))
    assert all(one.there for things in three for one in things)
    assert len(list(tmp_path.iterdir())) == 2
    assert told == list(labelled.clean("qemu:///system", dry_run=False))


def test_a_lab_removes_what_ended_labs_left_and_gives_way_to_one_that_is_up(
    three: tuple[list[Thing], list[Thing], list[Thing]],
) -> None:
    domains, nets, _ = three
    there = cast("Any", Libvirt(domains, nets, []))
    with pytest.raises(HostError, match=r"^qemu:///system: there is domain viplab-\w+-centOS-hostA already, .*is up"):
        shared._make_way(there, "qemu:///system", "AB")
    assert not domains[0].there
    assert domains[1].there


def test_what_libvirt_does_not_let_go_of_keeps_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    label = new_label(this_process())
    stuck, others = ours(label, "centOS-hostA"), [ours(label, "centOS-hostB"), ours(label, "mgmt")]

    def busy() -> None:
        raise libvirt.libvirtError("busy")

    monkeypatch.setattr(stuck, "destroy", busy)
    monkeypatch.setattr(libvirt, "open", lambda _: Libvirt([stuck, others[0]], others[1:], []))
    with pytest.raises(LabError, match=r"^domain viplab-\w+-centOS-hostA cannot be removed: "):
        shared.remove_all("qemu:///system", label)
    assert not any(one.there for one in others)


def test_a_folder_that_is_no_longer_the_pool_s_own_is_not_emptied(tmp_path: Path) -> None:
    label = new_label(ended())
    (tmp_path / "photos").mkdir()
    (tmp_path / label.text).symlink_to(tmp_path / "photos")
    labelled._remove_pool(cast("Any", pool_at(tmp_path / label.text)))
    labelled._remove_pool(cast("Any", Thing(pool_at(tmp_path / "photos").XMLDesc(), label.text)))
    assert (tmp_path / "photos").is_dir()


@pytest.mark.parametrize(
    ("uri", "why"),
    {
        "qemu+ssh://root@kvm1.example/system": r"run viplab on kvm1\.example itself, with --connect qemu:///system",
        "qemu+tls://kvm1/system": r"run viplab on kvm1 itself",
        "qemu:///session": r"that is qemu:///system",
        "xen:///system": r"that is qemu:///system",
        "test:///default": r"that is qemu:///system",
        "": r"that is qemu:///system",
        "qemu://[/system": r"is no URI",
    }.items(),
)
def test_a_libvirt_on_whose_bridges_nobody_here_can_listen_is_refused_in_one_line(uri: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as raised:
        check_uri(uri)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("uri", ["qemu:///system", "qemu+unix:///system?socket=/run/libvirt/libvirt-sock"])
def test_the_machine_s_own_libvirt_is_taken(uri: str) -> None:
    assert check_uri(uri) == uri
    assert uri in connected_to(lab_kind("libvirt"), uri).words


def test_namespaces_are_on_no_libvirt() -> None:
    with pytest.raises(InputError, match=r"^--connect: the hosts of netns are no virtual machines under a libvirt$"):
        connected_to(lab_kind("netns"), "qemu:///system")


def test_a_libvirt_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    uri = f"qemu+unix:///system?socket={tmp_path / 'none'}"
    with pytest.raises(HostError, match=r"is libvirtd .* running") as raised, labelled.connected(uri):
        pass
    assert "\n" not in str(raised.value)


def test_a_libvirt_that_does_not_answer_says_so_before_an_image_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viplab.lab.libvirt.kind.ready_image", lambda _: pytest.fail("an image is built"))
    kind = connected_to(lab_kind("libvirt"), f"qemu+unix:///system?socket={tmp_path / 'none'}")
    with pytest.raises(HostError, match=r"is libvirtd .* running"):
        kind.open(lambda lab: None)


class Pools:
    """A libvirt whose pool `default` is there, or not, and which has so much room for another."""

    def __init__(self, default: Path | None, free: int = 0) -> None:
        self._default, self._free, self.made = default, free, Thing("<pool/>", "made")

    def storagePoolLookupByName(self, name: str) -> Thing:  # noqa: N802
        if self._default is None:
            raise libvirt.libvirtError("none")
        return pool_at(self._default)

    def storagePoolDefineXML(self, xml: str) -> Any:  # noqa: N802
        made: Any = self.made
        made.build = made.create = lambda: None
        made.info = lambda: (2, 0, 0, self._free)
        return made


@pytest.mark.parametrize("home", [Path("/home/me/images"), Path("/root/images"), Path.home() / "images"])
def test_disks_never_lie_under_a_home_folder(home: Path) -> None:
    assert pool.place(cast("Any", Pools(home))) == pool.USUAL
    assert pool.place(cast("Any", Pools(None))) == pool.USUAL
    assert pool.place(cast("Any", Pools(Path("/data/images")))) == Path("/data/images")


def test_a_pool_that_is_full_is_said_before_anything_is_put_into_it(tmp_path: Path) -> None:
    image = Image(tmp_path)
    for file in (image.disk, image.kernel, image.initrd):
        file.write_bytes(b"x")
    full = cast("Any", Pools(tmp_path / "images", free=1 << 30))
    with pytest.raises(HostError, match=r"images: 1024 MiB free, and the guests take 2048; free some"):
        pool.make_pool(full, new_label(this_process()), image, 2048)


class Default:
    """A libvirt with a network `default`."""

    def __init__(self, address: str, *, active: bool = True, leases: tuple[str, ...] = ()) -> None:
        mac = "<mac address='52:54:00:aa:bb:cc'/>"
        network: Any = Thing(f"<network><name>default</name>{mac}<ip {address}/></network>", "default")
        network.there, network.bridgeName = active, lambda: "lo"
        network.DHCPLeases = lambda: [{"ipaddr": one, "hostname": "web", "mac": "52:54:00:11:22:33"} for one in leases]
        self.networkLookupByName = lambda _: network
        self.listAllDomains = self.listAllNetworks = self.listAllStoragePools = list


@pytest.mark.parametrize("size", ["netmask='255.255.255.0'", "prefix='24'"])
def test_their_default_network_is_the_public_one_where_it_has_the_article_s_addresses(
    size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "settings", lambda network: (0, 0))
    found = networks.theirs(cast("Any", Default(f"address='192.168.122.1' {size}")))
    assert found is not None
    assert (found.name, found.bridge, found.mac) == ("public", "lo", "52:54:00:aa:bb:cc")
    assert networks.theirs(cast("Any", Default(f"address='192.168.124.1' {size}"))) is None
    assert networks.theirs(cast("Any", Default(f"address='192.168.122.1' {size}", active=False))) is None


def test_a_libvirt_whose_bridges_are_elsewhere_is_one_line() -> None:
    with pytest.raises(Exception, match="is not in this network namespace; run viplab where libvirt's bridges are"):
        networks.theirs(cast("Any", Default("address='192.168.122.1' prefix='24'")))


def test_an_address_of_the_lab_that_their_default_network_gave_away_is_refused() -> None:
    there = cast("Any", Default("address='192.168.122.1' prefix='24'", leases=("192.168.122.12",)))
    with pytest.raises(HostError, match=r"has given 192\.168\.122\.12 to web, and the lab has that address"):
        shared._make_way(there, "qemu:///system", "AB")
    shared._make_way(there, "qemu:///system", "A")
    probe = cast("Any", Default("address='192.168.122.1' prefix='24'", leases=("192.168.122.2",)))
    with pytest.raises(HostError, match=r"has given 192\.168\.122\.2 to web"):
        shared._make_way(probe, "qemu:///system", "A")


def looked_at(connection: Any, monkeypatch: pytest.MonkeyPatch, stp: tuple[int, int] = (0, 0)) -> list[doctor.Finding]:
    """What `viplab doctor` says of a libvirt with that network `default`."""
    connection.getLibVersion = lambda: 9_000_001
    connection.storagePoolLookupByName = lambda _: pool_at(Path("/data/images"))
    connection.close = lambda: None
    monkeypatch.setattr(libvirt, "open", lambda _: connection)
    monkeypatch.setattr(networks, "settings", lambda _: stp)
    monkeypatch.setattr(examine, "_ROOM_MIB", 0)
    return examine.examine("qemu:///system")


UP = "address='192.168.122.1' prefix='24'"


def test_the_doctor_finds_nothing_in_the_way_on_a_libvirt_as_its_packages_bring_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = looked_at(Default(UP), monkeypatch)
    assert all(one.ok and not one.remedy for one in found)
    assert found[0].detail == "qemu:///system: 9.0.1, and lets us in"
    assert found[1].detail == "up with 192.168.122.1/24 on lo: it is the public one, as it is"


def test_the_doctor_says_that_a_network_is_made_where_default_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_at(Default(UP, active=False), monkeypatch)
    assert "a run makes a public network of its own" in found[1].detail
    assert doctor.lacking(found) == []


def test_the_doctor_says_that_stp_leaves_trials_undecided_and_lacks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looked_at(Default(UP), monkeypatch, stp=(1, 200))
    (stp,) = [one for one in found if not one.ok]
    assert (stp.name, stp.detail.partition(":")[0]) == ("STP on lo", "on, forward delay 2 s")
    assert "virsh net-edit default" in stp.remedy
    assert doctor.lacking(found) == []


def test_the_doctor_finds_what_a_run_would_be_refused_for(monkeypatch: pytest.MonkeyPatch) -> None:
    given = looked_at(Default(UP, leases=("192.168.122.12", "192.168.122.13")), monkeypatch)
    assert [one.detail for one in doctor.lacking(given)] == ["192.168.122.12 is web's"]
    busy = Default(UP)
    busy.listAllDomains = lambda: [ours(new_label(this_process()), "centOS-hostA")]
    (lab,) = doctor.lacking(looked_at(busy, monkeypatch))
    assert "its lab is up" in lab.detail
    monkeypatch.setattr(examine, "_ROOM_MIB", 1 << 50)
    monkeypatch.setattr(libvirt, "open", lambda _: busy)
    assert "room for disks" in {one.name for one in doctor.lacking(examine.examine("qemu:///system"))}


def test_what_an_ended_lab_left_is_in_nobody_s_way(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Default(UP)
    left.listAllDomains = lambda: [ours(new_label(ended()), "centOS-hostA")]
    found = looked_at(left, monkeypatch)
    assert doctor.lacking(found) == []
    assert "the next run removes it" in found[-1].detail


def test_the_doctor_says_of_a_libvirt_that_does_not_answer_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = examine.examine(f"qemu+unix:///system?socket={tmp_path / 'none'}")
    assert doctor.lacking(found) == found
    assert doctor.main([], found) == doctor.LACKING
    assert "is libvirtd (or virtqemud) running" in capsys.readouterr().out
    with pytest.raises(InputError, match="is on another machine"):
        examine.examine("qemu+ssh://root@kvm1.example/system")
