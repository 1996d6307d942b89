"""What two runs were made under: what of it spoils a comparison, and what may differ and is then reported.

`CONDITIONS` is the one table of it; `viplab compare` refuses by it, and whatever shows two runs reports by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from viplab.analysis.baseline import Points
from viplab.types import Frozen


class Sort(Enum):
    """What a difference means to a comparison; the value of those that can be allowed is their word for `--across`."""

    SPOILS = None
    """The metrics themselves are of another kind: nothing allows it."""
    IMAGE = "image"
    """The hosts' system: the guests' image, and what is installed in it."""
    HOST = "host"
    """The machine below: its kernel, qemu and libvirt; where the hosts are namespaces, what is installed there too."""
    START = "start"
    """Whether daemons were started for each trial: an emulator has to translate anew what it restores from memory."""
    SUBJECT = "subject"
    """What is compared, or does not change it; it is reported, and needs no leave."""


ALLOWED = (Sort.IMAGE.value, Sort.HOST.value, Sort.START.value)
"""The words of `--across`."""


class Difference(Frozen):
    """A condition that is another one in the second run; None where a run has no such thing."""

    what: str
    base: str | None
    new: str | None
    sort: Sort

    def __str__(self) -> str:
        line = f"{self.what}: {self.base or 'none'} and {self.new or 'none'}"
        # A folder from elsewhere may say anything; it stays one line.
        return line if line.isprintable() else line.encode("unicode_escape").decode()


@dataclass(frozen=True)
class Condition:
    """Something that a run says of itself: by name, since it may say it of each package, scenario or subject.

    A name that only one of two runs has is not compared: scenarios that one of them did not do, or a thing that runs
    did not say when a baseline was made.
    """

    values: Callable[[Points], Mapping[str, str | None]]
    sort: Callable[[Points], Sort]


def differences(base: Points, new: Points) -> list[Difference]:
    """All that differs between what two sets of values were measured under, what spoils them first."""
    found = []
    for condition in CONDITIONS:
        before, after = condition.values(base), condition.values(new)
        found += [
            Difference(what=name, base=before[name], new=after[name], sort=condition.sort(base))
            for name in before
            if name in after and before[name] != after[name]
        ]
    return found


def banner(found: list[Difference]) -> list[str]:
    """What stands above a comparison of two runs that were not made alike, a line each; nothing where they were."""
    conditions = [str(difference) for difference in found if difference.sort is not Sort.SUBJECT]
    head = ["made under other conditions, so that a difference need not be the subject's:"] if conditions else []
    return [*head, *(f"  {line}" for line in conditions), *(str(d) for d in found if d.sort is Sort.SUBJECT)]


def _packages(points: Points) -> dict[str, str | None]:
    """The packages of all hosts but for those that are a subject; where hosts differ, all versions there are."""
    versions: dict[str, set[str]] = {}
    for installed in points.provenance.packages.values():
        for name, version in installed.items():
            versions.setdefault(name, set()).add(version)
    return {
        f"package {name}": ", ".join(sorted(found)) for name, found in versions.items() if name not in points.versions
    }


def _one(name: str, value: Callable[[Points], str | None], sort: Sort) -> Condition:
    return Condition(lambda points: {name: value(points)}, lambda _: sort)


def _each(of: str, values: Callable[[Points], Mapping[str, str]], sort: Sort) -> Condition:
    return Condition(lambda points: {f"{of} {name}": value for name, value in values(points).items()}, lambda _: sort)


CONDITIONS = (
    _one("schema", lambda points: str(points.schema_version), Sort.SPOILS),
    _one("lab", lambda points: points.lab, Sort.SPOILS),
    _one("accelerator", lambda points: points.accel, Sort.SPOILS),
    _each("timing model of", lambda points: points.families, Sort.SPOILS),
    _each("scenario", lambda points: points.scenarios, Sort.SPOILS),
    _one("image", lambda points: points.provenance.image, Sort.IMAGE),
    Condition(_packages, lambda points: Sort.IMAGE if points.provenance.image else Sort.HOST),
    _one("host kernel", lambda points: points.provenance.host_kernel, Sort.HOST),
    _one("qemu", lambda points: points.provenance.qemu, Sort.HOST),
    _one("libvirt", lambda points: points.provenance.libvirt, Sort.HOST),
    _each("start of", lambda points: points.starts, Sort.START),
    _each("version of", lambda points: {s: ", ".join(sorted(v)) for s, v in points.versions.items()}, Sort.SUBJECT),
)
