"""Moments of several hosts: saved all at once, whole or not at all, and only the last few are kept."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

pytest.importorskip("libvirt")

from viplab.errors import Interrupted, LabError
from viplab.lab.cache import keep_last
from viplab.lab.lab import LabKind
from viplab.lab.libvirt import lab as libvirt_lab
from viplab.lab.libvirt.guest import Ground, LibvirtGuest
from viplab.lab.libvirt.lab import LibvirtLab

Done = list[tuple[str, str]]


class Standing:
    """A guest that notes what is done to it."""

    running = False

    def __init__(self, name: str, done: Done) -> None:
        self.host = SimpleNamespace(name=name)
        self._done = done

    def __getattr__(self, word: str) -> Any:
        return lambda *_: self._done.append((word, self.host.name))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LibvirtLab, Done]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "viplab" / "memory").mkdir(parents=True)
    monkeypatch.setattr(LibvirtLab, "_memory", lambda _, guest: Path(f"memory-of-{guest.host.name}"))
    memory = tmp_path / "viplab" / "memory"
    image = SimpleNamespace(name="image", memory_mib=512)
    ground = SimpleNamespace(image=image, accelerator="qemu", work=tmp_path, memory=memory, networks={})
    found = LibvirtLab(cast("LabKind", None), cast("Ground", ground), [])
    done: Done = []
    found._all = cast("dict[str, LibvirtGuest]", {name: Standing(name, done) for name in "AB"})
    return found, done


def test_all_hosts_stop_before_any_is_saved_and_are_back_before_any_goes_on(lab: tuple[LibvirtLab, Done]) -> None:
    bench, done = lab
    bench._there = dict(bench._all)
    moment = bench.revert("steady", lambda folder: (folder / "version").write_text("1") and None, "AB")
    assert moment is not None
    assert (moment / "version").read_text() == "1"
    words = [word for word, _ in done]
    assert words.index("save") > max(at for at, word in enumerate(words) if word == "pause")
    assert words.index("resume") > max(at for at, word in enumerate(words) if word == "load")
    in_order = [[host for word, host in done if word == wanted] for wanted in ("pause", "resume")]
    assert in_order == [["A", "B"], ["A", "B"]]


def test_a_moment_is_made_once_and_another_name_is_another_moment(lab: tuple[LibvirtLab, Done]) -> None:
    bench, _ = lab
    made = bench.revert("steady", lambda _: None, "AB")
    assert bench.revert("steady", lambda _: pytest.fail("made twice"), "AB") == made
    assert bench.revert("other", lambda _: None, "AB") != made
    assert bench.revert("steady", lambda _: None, "A") != made


def test_a_moment_that_could_not_be_made_leaves_nothing(lab: tuple[LibvirtLab, Done], tmp_path: Path) -> None:
    bench, done = lab

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise LabError("no daemon")

    with pytest.raises(LabError, match="no daemon"):
        bench.revert("steady", fail, "AB")
    assert done == []
    assert all(path.name.endswith(".lock") for path in (tmp_path / "viplab" / "memory").iterdir())


@pytest.mark.parametrize("error", [LabError("saved memory cannot be restored"), FileNotFoundError("memory.save")])
def test_a_moment_that_cannot_be_restored_is_told_in_a_line_and_made_anew_the_next_time(
    lab: tuple[LibvirtLab, Done], capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def load(folder: Path) -> None:
        raise error

    bench, _ = lab
    bench.revert("steady", lambda _: None, "AB")
    broken = cast("Any", bench._all["B"])
    broken.load = load
    with pytest.raises(LabError, match="cannot be restored"):
        bench.revert("steady", lambda _: pytest.fail("made twice"), "AB")
    (line,) = capsys.readouterr().err.splitlines()
    assert f"thrown away ({error})" in line
    del broken.load
    made: list[Path] = []
    assert bench.revert("steady", made.append, "AB") is not None
    assert made


def test_without_room_on_disk_nothing_is_saved_and_nothing_done(
    lab: tuple[LibvirtLab, Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, done = lab
    monkeypatch.setattr(libvirt_lab.shutil, "disk_usage", lambda _: SimpleNamespace(free=2 << 30))
    assert bench.revert("steady", lambda _: pytest.fail("made"), "AB") is None
    assert done == []


def test_an_interruption_does_not_wait_for_a_guest_that_boots() -> None:
    let_go, booted = threading.Event(), threading.Event()
    done: Done = []

    def interrupt(*_: object) -> None:
        raise Interrupted("SIGUSR1")

    def boot(_: object) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        let_go.wait(60)
        booted.set()

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(Interrupted):
            libvirt_lab._each([cast("LibvirtGuest", Standing("A", done))], boot)
        assert not booted.is_set()
        assert done == [("give_up", "A")]
    finally:
        signal.signal(signal.SIGUSR1, before)
        let_go.set()


def test_the_moments_used_last_are_kept(tmp_path: Path) -> None:
    for number in range(5):
        folder = tmp_path / f"moment-{number}"
        folder.mkdir()
        (tmp_path / f".{folder.name}.lock").touch()
        os.utime(folder, (number, number))
    os.utime(tmp_path / "moment-0", (9, 9))
    keep_last(tmp_path.glob("moment-*"), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".moment-0.lock", ".moment-4.lock", "moment-0", "moment-4",
    ]  # fmt: skip
