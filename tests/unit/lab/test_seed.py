"""What cloud-init is told: valid YAML that has every card, key and file that the bench relies on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from viplab.lab.seed import INSTALLED, MISSING, PREPARE, Seed, of_build, of_host
from viplab.lab.topology import make_host
from viplab.resources import resource


def seed_of(host: str) -> Seed:
    return of_host(make_host(host), "own.qcow2-0123", "ssh-ed25519 AAAA viplab", ("PRIVATE\nKEY\n", "ssh-ed25519 BBBB"))


def test_every_card_gets_its_name_and_address_by_its_mac() -> None:
    host = make_host("B")
    cards = yaml.safe_load(seed_of("B").files["network-config"])["ethernets"]
    assert {name: (card["match"]["macaddress"], card["addresses"]) for name, card in cards.items()} == {
        card.name: (card.mac, [card.ip]) for card in host.interfaces
    }
    assert all(card["set-name"] == name for name, card in cards.items())


def test_root_is_reached_with_the_labs_key_and_answers_with_the_key_that_the_bench_made() -> None:
    text = seed_of("A").files["user-data"]
    assert text.startswith("#cloud-config\n")
    told = yaml.safe_load(text)
    assert told["users"][0]["ssh_authorized_keys"] == ["ssh-ed25519 AAAA viplab"]
    assert told["ssh_keys"] == {"ed25519_private": "PRIVATE\nKEY\n", "ed25519_public": "ssh-ed25519 BBBB"}
    assert told["disable_root"] is False


def test_each_host_of_each_image_is_an_instance_of_its_own() -> None:
    told = [yaml.safe_load(seed_of(host).files["meta-data"]) for host in "AB"]
    assert [one["local-hostname"] for one in told] == ["centOS-hostA", "centOS-hostB"]
    assert told[0]["instance-id"] != told[1]["instance-id"]


def test_guests_of_all_images_have_the_same_files_of_log_and_kernel() -> None:
    files = {one["path"]: one["content"] for one in yaml.safe_load(seed_of("A").files["user-data"])["write_files"]}
    for path in ("/etc/rsyslog.d/viplab.conf", "/etc/sysctl.d/90-viplab.conf"):
        assert files[path] == resource(f"vmimages/debian/overlay{path}").read_text()
    assert files[PREPARE].startswith("#!/bin/sh\n")


def test_a_guest_that_lacks_what_the_bench_needs_says_what_and_is_left_as_it_is(tmp_path: Path) -> None:
    script = resource("vmimages/cloud/prepare")
    done = subprocess.run(["/bin/sh", script], env={"PATH": str(tmp_path)}, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("it has no ip python3 rsyslogd tar; ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("installed", "said"), [("no-a no-b", INSTALLED), ("no-a", f"{MISSING} no-b")])
def test_a_guest_says_what_it_could_not_install(installed: str, said: str, tmp_path: Path) -> None:
    ((*_, script, name, first, second),) = of_build(["no-a", "no-b"], "el0").user_data["runcmd"]
    query = tmp_path / "rpm"
    query.write_text(f'#!/bin/sh\ncase " {installed} " in *" $2 "*) exit 0;; esac; exit 1\n')
    query.chmod(0o755)
    script = script.replace("/dev/ttyS0", str(tmp_path / "console"))
    subprocess.run(
        ["/bin/sh", "-c", script, name, first, second],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
        cwd=tmp_path,
    )
    assert (tmp_path / "console").read_text() == f"{said}\n"


@pytest.mark.skipif(shutil.which("xorriso") is None, reason="no xorriso, which makes the seed's disk")
def test_the_disk_has_the_label_and_the_files_that_cloud_init_looks_for(tmp_path: Path) -> None:
    seed = seed_of("A")
    seed.write(tmp_path / "seed.iso")
    seed.write(tmp_path / "seed.iso")
    out = tmp_path / "out"
    command = ["xorriso", "-osirrox", "on", "-indev", tmp_path / "seed.iso", "-extract", "/", out]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "CIDATA" in done.stderr + done.stdout
    assert {path.name: path.read_text() for path in out.iterdir()} == seed.files
