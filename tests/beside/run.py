"""Run files with accidents under both daemons, each in namespaces of its own, many at once, and compare them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, NamedTuple

from beside.accidents import ACCIDENTS, START, STOP, Accident
from beside.compare import Difference, differences
from beside.files import File
from beside.reasons import reason_of
from support.hosts import APART, vipd_command

_ARGUMENTS = ("-n", "-l", "-D", "-f", "/run/keepalived.conf", "-p", "/run/d.pid")
_KEEPALIVED = ("-P", "-r", "/run/v.pid")
_LIMIT_S = 240
_LOOKS_AGAIN = 2
_LASTING = frozenset({"runs", "states", "routes", "rules", "answers"})


class Cell(NamedTuple):
    """One file with one accident."""

    file: File
    accident: Accident


class Result(NamedTuple):
    """What became of a cell: its differences, and whether it was run again after one that no reason explained."""

    cell: Cell
    found: list[Difference]
    again: bool = False

    @property
    def explained(self) -> bool:
        """Whether every difference has a reason."""
        return all(one.reason for one in self.found)

    def kept(self) -> dict[str, Any]:
        """As JSON."""
        found = [{**one._asdict(), "options": sorted(one.options)} for one in self.found]
        return {"file": self.cell.file.name, "accident": self.cell.accident.name, "again": self.again, "found": found}


def judged(line: str) -> tuple[tuple[str, str], list[Difference]]:
    """The file and the accident of a cell that was kept, and its differences with the reasons that there are now."""
    cell = json.loads(line)
    found = [Difference(**{**one, "options": frozenset(one["options"])}) for one in cell["found"]]
    beside = {one: [other for other in found if other.step == one.step] for one in found}
    return (cell["file"], cell["accident"]), [one._replace(reason=reason_of(one, beside[one])) for one in found]


def cells(files: Iterable[File]) -> list[Cell]:
    """Every accident to every file that it can happen to."""
    return [Cell(file, accident) for file in files for accident in happening_to(file)]


def happening_to(file: File) -> list[Accident]:
    """The accidents that can happen to a file, from start to end."""
    fitting = [one for one in ACCIDENTS if not one.needs or one.needs & file.options]
    return [START, *fitting, STOP]


def run(chosen: list[Cell], at_once: int, say: Callable[[Result], None] = lambda result: None) -> list[Result]:
    """Run cells, those of so many files at once.

    The accidents of a file happen to the same two daemons, one after the other. After a difference that no reason
    explains both begin anew. A busy machine makes differences of its own, so at the end, when all others are done, what
    differed is run again with few beside it, and what still differs once more with hardly any.
    """
    return asyncio.run(_run(chosen, at_once, say))


async def _run(chosen: list[Cell], at_once: int, say: Callable[[Result], None]) -> list[Result]:
    vipd = [*vipd_command().split(), *_ARGUMENTS]
    by_file: dict[str, list[Cell]] = {}
    for cell in chosen:
        by_file.setdefault(cell.file.name, []).append(cell)
    found = await _all([*by_file.values()], at_once, vipd, lambda cell, found: _told(Result(cell, found), say))
    for few in (max(2, at_once // 5), 2):
        left = [[result.cell] for result in found.values() if not result.explained]
        found.update(await _all(left, few, vipd, lambda cell, found: _told(Result(cell, found, again=True), say)))
    return [*found.values()]


def _told(result: Result, say: Callable[[Result], None]) -> Result:
    say(result)
    return result


async def _all(
    rows: list[list[Cell]], at_once: int, vipd: list[str], made: Callable[[Cell, list[Difference]], Result]
) -> dict[tuple[str, str], Result]:
    """Run rows of cells, each row one after the other and so many rows at once."""
    room = asyncio.Semaphore(at_once)

    async def one_row(row: list[Cell]) -> list[Result]:
        async with room:
            return [made(cell, found) async for cell, found in _one_after_the_other(row, vipd)]

    done = await asyncio.gather(*map(one_row, rows))
    return {(one.cell.file.name, one.cell.accident.name): one for results in done for one in results}


async def _one_after_the_other(wanted: list[Cell], vipd: list[str]) -> AsyncIterator[tuple[Cell, list[Difference]]]:
    """Let the accidents of one file happen to both daemons.

    Both begin anew after a difference without a reason, and after one that may have left them in different states.
    """
    file, pair = wanted[0].file, None
    try:
        for cell in wanted:
            if pair is None:
                pair = await _Pair.start(file, vipd)
                if cell.accident != START:
                    await pair.differences(START)
            found = await pair.differences(cell.accident)
            yield cell, found
            if any(not one.reason or one.aspect in _LASTING for one in found):
                await pair.kill()
                pair = None
    finally:
        if pair is not None:
            await pair.kill()


class _Pair:
    """Both daemons with the same file."""

    def __init__(self, file: File, sides: list[_Side]) -> None:
        self._file, self._sides = file, sides

    @classmethod
    async def start(cls, file: File, vipd: list[str]) -> _Pair:
        commands = (["keepalived", *_KEEPALIVED, *_ARGUMENTS], vipd)
        return cls(file, [await _Side.start(command, file) for command in commands])

    async def differences(self, accident: Accident) -> list[Difference]:
        """Let it happen to both; where they differ without a reason both are given time and looked at again."""
        found = []
        for step in accident.steps:
            argument = step.argument(self._file.text) if callable(step.argument) else step.argument
            for look in range(1 + _LOOKS_AGAIN):
                asked = None if look else [step.verb, argument]
                theirs, ours = await asyncio.gather(*(side.ask(asked) for side in self._sides))
                differing = differences(self._file, accident, step, theirs, ours)
                if all(one.reason for one in differing):
                    break
            found += differing
        return found

    async def kill(self) -> None:
        for side in self._sides:
            await side.kill()


class _Side:
    """One of the two daemons of a cell, in namespaces of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: list[str], file: File) -> _Side:
        process = await asyncio.create_subprocess_exec(
            *APART, sys.executable, "-S", "-m", "beside.host", limit=1 << 24,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        side = cls(process)
        task = {"command": command, "file": file.text, "quiet_s": file.quiet_s, "addresses": file.addresses}
        side._tell(task)
        return side

    async def ask(self, step: list[Any] | None) -> dict[str, list[str]]:
        self._tell(step)
        return dict(await self._heard())

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def _tell(self, what: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    async def _heard(self) -> Any:
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), _LIMIT_S)
        if not line:
            raise RuntimeError(f"beside.host ended with status {await self._process.wait()}; its traceback is above")
        return json.loads(line)
