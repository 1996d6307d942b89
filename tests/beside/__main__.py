"""`python -m beside [--files N] [--accident WORDS] [--at-once N] [--keep FILE [--resume]] [FILE ...]`, as root."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from beside.files import files
from beside.run import Result, cells, judged, run


def main() -> int:
    """Run, and print every difference that no reason explains; returns 1 where there is one."""
    parser = argparse.ArgumentParser(prog="beside", description=__doc__)
    parser.add_argument("names", nargs="*", help="files; all of them by default")
    parser.add_argument("--files", type=int, help="only so many of them")
    parser.add_argument("--accident", action="append", help="only those whose name has these words")
    parser.add_argument("--at-once", type=int, default=24)
    parser.add_argument(
        "--keep", type=Path, help="write a line of JSON for every cell to this file, from which the page is made"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with that file: what is explained in it is not run again"
    )
    arguments = parser.parse_args()
    if arguments.resume and not (arguments.keep and arguments.keep.exists()):
        parser.error("--resume goes on with a file that --keep names, and there is none")
    chosen = [file for file in files() if not arguments.names or file.name in arguments.names][: arguments.files]
    wanted = [
        cell
        for cell in cells(chosen)
        if not arguments.accident or any(words in cell.accident.name for words in arguments.accident)
    ]
    begin = time.monotonic()
    if arguments.resume:
        done = dict(map(judged, arguments.keep.read_text().splitlines()))
        explained = {key for key, found in done.items() if all(one.reason for one in found)}
        wanted = [cell for cell in wanted if (cell.file.name, cell.accident.name) not in explained]
    elif arguments.keep:
        arguments.keep.write_text("")

    def say(result: Result) -> None:
        _say(result)
        if arguments.keep:
            with arguments.keep.open("a") as kept:
                print(json.dumps(result.kept()), file=kept)

    results = run(wanted, arguments.at_once, say)
    print(f"{len(results)} cells in {time.monotonic() - begin:.0f} s")
    return int(any(not one.reason for result in results for one in result.found))


def _say(result: Result) -> None:
    open_ones = [one for one in result.found if not one.reason]
    came_to = "DIFFERS" if open_ones else "as known" if result.found else "equal"
    again = " (again)" if result.again else ""
    print(f"{came_to:8} {result.cell.file.name}: {result.cell.accident.name}{again}", flush=True)
    for one in open_ones:
        print(f"    {one.step}: {one.aspect}: {one.who}: {one.line}")


if __name__ == "__main__":
    sys.exit(main())
