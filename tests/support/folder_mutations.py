"""Ways in which a run folder from elsewhere may be damaged or hostile, drawn from a seed."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

SECRET = "of-somebody-else-51c7"
"""What stands in the files beside the folder; it may turn up nowhere else."""

Mutation = Callable[[Path, Random], str]
"""Changes a run folder and says how."""

_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 64, 2**31, 2**63 - 1, 2**63, -(2**63), 2**70, 10**400, 0.5, 1e-300, 1e300, float("nan"),
    float("inf"), "", "A", "C", "client", "../../secret", "<script>", "\ud800", "\x1b[31m\n\0", "9" * 5000,
    "x" * 100_000, [], {}, [[]], {"": {}}, ["A"] * 1000, {"A": 1},
)  # fmt: skip
_HUGE = 1 << 40
_NAMES = ("\udcff", "a\nb", "<script>", "é", "..x", "x" * 200, "-o", "#%3f?", "A")


def mutate(run: Path, seed: int) -> list[str]:
    """Do one to three mutations to a run folder; the same seed does the same to the same folder."""
    random = Random(seed)
    kinds = random.choices(MUTATIONS, k=random.randint(1, 3))
    return [kind(run, random) for kind in kinds]


def beside(run: Path) -> None:
    """Put beside the folder what nobody who reads the folder may touch."""
    outside = run.parent / "outside"
    (outside / "A").mkdir(parents=True)
    for name in ("secret", "keepalived.conf", "A/keepalived.conf", "index.html", "trial.json", "summary.json"):
        (outside / name).write_text(SECRET)


def _files(run: Path) -> list[Path]:
    found = (Path(parent) / name for parent, _, names in os.walk(run) for name in names)
    return sorted(path for path in found if not path.is_symlink() and path.is_file() and path.stat().st_size < _HUGE)


def _folders(run: Path) -> list[Path]:
    found = (Path(parent) / name for parent, names, _ in os.walk(run) for name in names)
    return sorted(path for path in found if not path.is_symlink())


def _of_file(change: Callable[[Path, Random], object]) -> Mutation:
    def mutation(run: Path, random: Random) -> str:
        if not (files := _files(run)):
            return "no file"
        path = random.choice(files)
        change(path, random)
        return f"{change.__name__.strip('_')} {path.relative_to(run)!s}"

    return mutation


def _of_folder(change: Callable[[Path, Random], object]) -> Mutation:
    def mutation(run: Path, random: Random) -> str:
        if not (folders := _folders(run)):
            return "no folder"
        path = random.choice(folders)
        change(path, random)
        return f"{change.__name__.strip('_')} {path.relative_to(run)!s}"

    return mutation


def _removed(path: Path, random: Random) -> None:
    path.unlink(missing_ok=True)


def _cut(path: Path, random: Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data) + 1)])


def _octets(path: Path, random: Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 40)):
        if data:
            data[random.randrange(len(data))] = random.choice((0, 0xFF, 0x80, 0x0A, random.randrange(256)))
    path.write_bytes(data)


def _doubled(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes() * random.randint(2, 20))


def _shuffled(path: Path, random: Random) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    random.shuffle(lines)
    path.write_bytes(b"".join(lines))


def _inserted(path: Path, random: Random) -> None:
    data = path.read_bytes()
    at = random.randrange(len(data) + 1)
    path.write_bytes(data[:at] + random.choice((b"\0", b"[" * 70_000, b"x" * 3_000_000, b"\n" * 3000)) + data[at:])


def _huge(path: Path, random: Random) -> None:
    os.truncate(path, _HUGE)


def _replaced(make: Callable[[Path], object]) -> Callable[[Path, Random], None]:
    def replaced(path: Path, random: Random) -> None:
        path.unlink(missing_ok=True)
        make(path)

    return replaced


def _a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        here = Path.cwd()
        os.chdir(path.parent)  # the whole path may be longer than a socket's may be
        try:
            bound.bind(path.name)
        finally:
            os.chdir(here)


def _a_link(path: Path, random: Random) -> None:
    targets = (path.parent / path.name, "/dev/zero", _outside(path) / "secret", _outside(path) / path.name, "nowhere")
    path.unlink(missing_ok=True)
    path.symlink_to(random.choice(targets))


def _renamed(path: Path, random: Random) -> None:
    with suppress(OSError):  # there is a folder of that name
        path.rename(path.with_name(random.choice(_NAMES)))


def _swapped(run: Path, random: Random) -> str:
    files = _files(run)
    if not files:
        return "nothing to swap"
    one, other = random.choice(files), random.choice(files)
    shutil.copyfile(other, one) if one != other else None
    return f"{other.relative_to(run)} over {one.relative_to(run)}"


def _linked_folder(path: Path, random: Random) -> None:
    outside = _outside(path)
    shutil.rmtree(path)
    path.symlink_to(random.choice((outside, outside / "A", path, "/")))


def _removed_folder(path: Path, random: Random) -> None:
    shutil.rmtree(path)


def _duplicated(path: Path, random: Random) -> None:
    target = path.with_name(random.choice(_NAMES))
    if not target.exists():
        shutil.copytree(path, target, symlinks=True, ignore=_special)


def _special(folder: str, names: list[str]) -> list[str]:
    paths = (Path(folder) / name for name in names)
    return [path.name for path in paths if not (path.is_symlink() or path.is_dir() or path.is_file())]


def _outputs(run: Path, random: Random) -> str:
    """A link where analysis or report will write."""
    name = random.choice(("summary.json", "trials.csv", "report.html", "report", "report/index.html", "report/x.html"))
    path = run / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.parent.mkdir(exist_ok=True)
    if not os.path.lexists(path) and not path.parent.is_symlink():
        path.symlink_to(run.parent / "outside" / random.choice(("", "secret", "index.html")))
    return f"link at {name}"


def _value(run: Path, random: Random) -> str:
    """One value in a document is another one, or goes."""
    files = [path for path in _files(run) if path.suffix in (".json", ".jsonl")]
    if not files:
        return "no document"
    path = random.choice(files)
    text = path.read_text("utf-8", "replace")
    lines = text.splitlines() if path.suffix == ".jsonl" else [text]
    at = random.randrange(len(lines) or 1)
    try:
        document = json.loads(lines[at])
    except (ValueError, IndexError, RecursionError):
        return "no document any more"
    said = _changed(document, random)
    lines[at] = json.dumps(document)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogatepass")
    return f"{path.relative_to(run)}:{at + 1}: {said}"


def _changed(document: Any, random: Random) -> str:
    places = list(_places(document, ""))
    if not places:
        return "empty"
    where, holder, key = random.choice(places)
    if random.random() < 0.15:
        del holder[key]
        return f"without {where}"
    holder[key] = random.choice(_VALUES)
    return f"{where} = {str(holder[key])[:20]!a}"


def _places(value: Any, where: str) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        yield f"{where}.{key}", value, key
        yield from _places(inner, f"{where}.{key}")


def _everywhere(run: Path, random: Random) -> str:
    """One key of every event of a timeline that has it is another value."""
    files = [path for path in _files(run) if path.suffix == ".jsonl"]
    if not files:
        return "no timeline"
    path = random.choice(files)
    lines = []
    key = random.choice(("t_ns", "host", "kind", "event", "macs", "network", "before_ns", "mac"))
    value = random.choice(_VALUES)
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        lines.append(json.dumps(event | {key: value}) if isinstance(event, dict) and key in event else line)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", "surrogatepass")
    return f"{path.relative_to(run)}: every {key} = {str(value)[:20]!a}"


def _stamps(run: Path, random: Random) -> str:
    """Frames of a capture are stamped absurdly."""
    files = [path for path in _files(run) if path.suffix == ".pcap"]
    if not files:
        return "no capture"
    path = random.choice(files)
    data = bytearray(path.read_bytes())
    at = 24
    while at + 16 <= len(data):
        kept = int.from_bytes(data[at + 8 : at + 12], "little")
        if random.random() < 0.3:
            data[at : at + 4] = random.choice((0, 1, 2**31, 2**32 - 1)).to_bytes(4, "little")
        at += 16 + kept
    path.write_bytes(data)
    return f"stamps of {path.relative_to(run)}"


def _outside(path: Path) -> Path:
    return next(parent / "outside" for parent in path.parents if (parent / "outside").is_dir())


MUTATIONS: tuple[Mutation, ...] = (
    *map(_of_file, (_removed, _cut, _octets, _octets, _doubled, _shuffled, _inserted, _huge, _a_link, _renamed)),
    *(_of_file(_replaced(make)) for make in (os.mkfifo, os.mkdir, _a_socket)),
    *map(_of_folder, (_linked_folder, _removed_folder, _duplicated, _renamed)),
    _swapped, _outputs, _outputs, _value, _value, _value, _value, _value, _value, _everywhere, _stamps,
)  # fmt: skip
