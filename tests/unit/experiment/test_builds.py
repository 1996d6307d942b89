"""Builds as subjects: a package or a commit in place of what is installed, and one line where it cannot be."""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.experiment.memory import moment_name
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import plan_of, read_recipe, write_recipe
from viplab.lab.netns.kind import NETNS
from viplab.resources import checkout
from viplab.scenario.load import read_scenario, scenario_files
from viplab.store import commit
from viplab.subjects import registry
from viplab.subjects.build import Build, from_commit, from_package, unpack
from viplab.subjects.keepalived import Keepalived

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="no dpkg-deb")
HERE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def package(folder: Path, name: str = "keepalived", architecture: str = HERE, content: str = "#!/bin/sh\n") -> Path:
    root = folder / f"root-{name}-{architecture}"
    (root / "DEBIAN").mkdir(parents=True)
    fields = {"Package": name, "Version": "9.9-1", "Architecture": architecture, "Maintainer": "t", "Description": "t"}
    (root / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    (root / "usr/sbin").mkdir(parents=True)
    (root / f"usr/sbin/{name}").write_text(content)
    made = folder / f"{name}_9.9-1_{architecture}.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", root, made], check=True, capture_output=True)
    return made


@needs_dpkg
def test_a_package_is_a_subject_by_its_file_or_under_a_label(tmp_path: Path) -> None:
    made = package(tmp_path)
    named = registry.subject(f"keepalived@{made}")
    assert named.label == "keepalived@9.9-1"
    labelled = registry.subject(f"old=keepalived@{made}")
    assert (labelled.label, labelled.asked) == ("old", f"old=keepalived@{made}")
    assert labelled.build is not None and labelled.build.version.startswith("package 9.9-1, SHA-256 ")
    with tarfile.open(fileobj=io.BytesIO(labelled.build.archive)) as archive:
        assert "./usr/sbin/keepalived" in archive.getnames()


@needs_dpkg
def test_each_host_may_run_a_build_of_its_own(tmp_path: Path) -> None:
    pair = registry.assignment(f"A=keepalived@{package(tmp_path)},B=keepalived")
    assert pair.on("A").build is not None
    assert pair.on("B").build is None


@needs_dpkg
def test_a_recipe_names_the_build_so_that_it_can_be_done_again(tmp_path: Path) -> None:
    subject = registry.assignment(f"old=keepalived@{package(tmp_path)}")
    plan = Plan([read_scenario(scenario_files()["failover"])], [subject], NETNS)
    write_recipe(plan, 1, None, None, tmp_path / "recipe.yaml")
    (again,) = read_recipe(tmp_path / "recipe.yaml")[1].subjects
    assert (again.name, again.asked) == ("old", subject.asked)


@needs_dpkg
def test_another_build_of_the_same_version_is_told_of_and_resumes_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    made, other = package(tmp_path), package(tmp_path / "other", content="#!/bin/sh\nexit\n")
    plan = Plan([read_scenario(scenario_files()["failover"])], [registry.assignment(f"keepalived@{made}")], NETNS)
    recipe = tmp_path / "recipe.yaml"
    write_recipe(plan, 1, commit(), None, recipe)
    plan_of(recipe, resumes=True)
    assert "not quite the same" not in capsys.readouterr().err
    shutil.copy(other, made)
    (again,) = plan_of(recipe).subjects
    assert f"was {plan.subjects[0].builds[0]}, here it is {again.builds[0]}" in capsys.readouterr().err
    with pytest.raises(InputError, match="would be of another build"):
        plan_of(recipe, resumes=True)


@needs_dpkg
def test_another_build_does_not_go_on_from_the_memory_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    builds = [package(tmp_path), package(tmp_path / "other", content="#!/bin/sh\nexit\n")]
    scenario = read_scenario(scenario_files()["failover"])[1]
    names = {moment_name(scenario, registry.assignment(f"x1=keepalived@{one}")) for one in builds}
    assert len(names) == 2


@needs_dpkg
@pytest.mark.parametrize(
    ("name", "architecture", "said"),
    [("keepalived", "riscv64", "is for riscv64, and hosts here are "), ("ucarp", HERE, "is a package of ucarp, and")],
)
def test_a_package_of_something_else_is_one_line(tmp_path: Path, name: str, architecture: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        from_package("keepalived", str(package(tmp_path, name, architecture)), "/usr/sbin/keepalived")
    assert "\n" not in str(caught.value)


@needs_dpkg
def test_a_file_that_is_no_package_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.deb").write_text("no package")
    with pytest.raises(InputError, match=r"^[^\n]*x\.deb: cut off, damaged, or no Debian package: [^\n]*$"):
        registry.subject(f"keepalived@{tmp_path / 'x.deb'}")
    with pytest.raises(InputError, match="no such package file"):
        registry.subject("keepalived@nowhere.deb")


@needs_dpkg
def test_a_package_that_was_cut_off_or_has_no_daemon_in_it_is_one_line(tmp_path: Path) -> None:
    made = package(tmp_path)
    with pytest.raises(InputError, match=r"^[^\n]*: has no /usr/lib/frr/vrrpd$"):
        from_package("keepalived", str(made), "/usr/lib/frr/vrrpd")
    made.write_bytes(made.read_bytes()[:-60])
    with pytest.raises(InputError, match=r"^[^\n]*: cut off, damaged, or no Debian package: [^\n]*$"):
        registry.subject(f"keepalived@{made}")


@pytest.mark.parametrize(
    ("file", "called"),
    [
        ("keepalived_1%3a2.2.7-1+b2_amd64.deb", "keepalived@2.2.7-1+b2"),
        ("keepalived-2.3.3-1.el9.x86_64.rpm", "keepalived@2.3.3-1.el9"),
        ("keepalived_2.2.7.orig.tar.gz", "keepalived@2.2.7"),
        ("keepalived-1.2.2.tar.gz", "keepalived@1.2.2"),
        ("keepalived-2.2.7/", "keepalived@2.2.7"),
        ("new.deb", "keepalived@new"),
        ("keepalived.deb", "keepalived@keepalived"),
    ],
)
def test_a_build_without_a_label_is_called_by_what_its_file_s_name_says_of_it(file: str, called: str) -> None:
    build = Build(f"/builds of mine/{file}", "2.2.7", "", b"")
    assert Keepalived(build=build).label == called


@pytest.mark.skipif(checkout() is None or not (checkout() / ".git").exists(), reason="no git checkout")  # type: ignore[operator]
def test_vipd_may_be_that_of_a_commit() -> None:
    build = from_commit("HEAD")
    with tarfile.open(fileobj=io.BytesIO(build.archive)) as archive:
        assert archive.getnames() == ["usr/local/sbin/vipd.pyz", "etc/init.d/vipd"]
    assert build.archive == from_commit("HEAD").archive
    with pytest.raises(InputError, match=r"^vipd@no-such-ref: no such commit, branch or tag in [^\n]*$"):
        from_commit("no-such-ref")


@pytest.mark.skipif(checkout() is None or not (checkout() / ".git").exists(), reason="no git checkout")  # type: ignore[operator]
def test_a_commit_is_built_from_its_own_files_wherever_viplab_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vipd").mkdir()
    (tmp_path / "vipd/__init__.py").write_text("raise SystemExit('another vipd')")
    monkeypatch.chdir(tmp_path)
    from_commit("HEAD")


def test_a_daemon_that_nobody_builds_is_taken_as_it_is_installed() -> None:
    with pytest.raises(InputError, match=r"^ucarp@x: ucarp is taken only as it is installed$"):
        registry.subject("ucarp@x")


def test_two_subjects_of_one_name_have_to_be_told_apart() -> None:
    with pytest.raises(InputError, match="named twice; give each a label of its own, as in old=NAME"):
        registry.chosen(["vipd", "vipd"], None)
    assert [one.name for one in registry.chosen(["one=vipd", "two=vipd"], None)] == ["one", "two"]


@pytest.mark.parametrize("asked", ["keepalived@", "Old=keepalived", "old=new=keepalived", "@x.deb"])
def test_a_label_or_a_build_that_is_none_is_told_how_to_say_it(asked: str) -> None:
    with pytest.raises(InputError, match=r"say \[LABEL=\]NAME\[@BUILD\], as in [^\n]*$"):
        registry.chosen([asked], None)


class TarFileOfPython3112(tarfile.TarFile):
    """Debian 12's: `extractall` takes no filter."""

    def extractall(  # type: ignore[override]
        self,
        path: str | Path = ".",
        members: Iterable[tarfile.TarInfo] | None = None,
        *,
        numeric_owner: bool = False,
    ) -> None:
        super().extractall(path, members, numeric_owner=numeric_owner)


def test_an_archive_is_unpacked_by_a_python_that_knows_no_filter(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("agent/there"))
    with TarFileOfPython3112(fileobj=io.BytesIO(packed.getvalue())) as archive:
        unpack(archive, tmp_path)
    assert (tmp_path / "agent" / "there").is_file()
