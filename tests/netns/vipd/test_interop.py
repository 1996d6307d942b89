"""vipd with itself, keepalived and FRR's vrrpd (the distribution's), as A and as B, in every tongue they share."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from support.hosts import Sandbox
from support.interop import TONGUES, Cell, Tongue
from viplab.subjects.frr import Frr

VIPD = "keepalived-2"
PAIRS = ((VIPD, VIPD), (VIPD, "keepalived"), ("keepalived", VIPD), (VIPD, "frr"), ("frr", VIPD))
MATRIX = [
    pytest.param(tongue, a, b, id=f"{tongue.name}-{a}-{b}")
    for tongue in TONGUES
    for a, b in PAIRS
    if tongue.frr or "frr" not in (a, b)
]
AT_ONCE = 14


def lacking(a: str, b: str) -> str | None:
    """Why two daemons cannot be tried here."""
    if "frr" in (a, b) and not all(map(Path.exists, map(Path, Frr.present))):
        return "needs FRR's vrrpd (package frr)"
    if "keepalived" in (a, b) and shutil.which("keepalived") is None:
        return "needs keepalived"
    return None


def story(cell: Cell) -> Cell:
    """Takeover, preemption, death and orderly stop; exactly one master after each."""
    cell.start("B", 101)
    cell.until_alone("B")
    cell.start("A", 102)
    cell.until_alone("A")
    cell.until_held_by("A")
    cell.kill("A")
    cell.until_alone("B")
    cell.start("A", 102)
    cell.until_alone("A")
    cell.until_held_by("A")  # what the killed one left is settled
    before = len(cell.adverts())
    cell.stop("A")
    cell.until_alone("B")
    cell.until_held_by("B")
    assert any(seen.priority == 0 for seen in cell.adverts()[before:]), "a farewell"
    cell.stop("B")
    assert not cell.holders()
    return cell


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Cell]]]:
    """The stories of all cells that were asked for, told at the same time."""
    asked = {
        item.callspec.id
        for item in request.session.items
        if isinstance(item, pytest.Function) and "told" in item.fixturenames
    }
    sandbox = Sandbox(Path(tmp_path_factory.mktemp("interop")))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            cells: dict[str, Future[Cell]] = {}
            for number, parameters in enumerate(MATRIX):
                tongue, a, b = parameters.values
                if str(parameters.id) in asked and lacking(str(a), str(b)) is None:
                    assert isinstance(tongue, Tongue)
                    cell = Cell(sandbox, number, tongue, str(a), str(b))
                    cells[str(parameters.id)] = pool.submit(story, cell)
            for future in cells.values():
                future.exception()
        yield cells
    finally:
        sandbox.close()


@pytest.mark.parametrize(("tongue", "a", "b"), MATRIX)
def test_takeover_preemption_death_and_stop_leave_exactly_one_master(
    told: dict[str, Future[Cell]], tongue: Tongue, a: str, b: str
) -> None:
    why_not = lacking(a, b)
    if why_not:
        pytest.skip(why_not)
    cell = told[f"{tongue.name}-{a}-{b}"].result()
    assert malformed(cell.capture) == ""


def malformed(capture: Path) -> str:
    """What tshark finds wrong with the packets; nothing where there is no tshark."""
    if shutil.which("tshark") is None:
        return ""
    wrong = "_ws.malformed or vrrp.checksum.status == 0 or ip.checksum.status == 0"
    command = ["tshark", "-r", str(capture), "-o", "ip.check_checksum:TRUE", "-Y", wrong]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
