"""Evidence that was changed: no metric moves, or is lost, while the verdict stays decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import synthetic as s
from viplab.ground_truth.cases import daemon_dies, host_dies, interface_fails
from viplab.ground_truth.mutations import MUTATIONS
from viplab.ground_truth.mutations.check import NO_SUCH, NOT_NOTICED, NOTHING, who_notices, whole
from viplab.run_folder import TrialFolder

PAGE = s.REPOSITORY / "docs" / "mutations.md"
# By the part and the name of a mutation; these are to be undecided, not merely without effect.
ALWAYS = (
    ("capture on public", "1 s later"),
    ("capture on public", "emptied but for its header"),
    ("capture on public", "every frame doubled"),
    ("capture on public", "all gratuitous ARP gone"),
    ("capture on public", "jumps by 0.2 s halfway"),
    ("capture on interconnect", "jumps by 0.2 s at the takeover"),
    ("ping's transcript", "its second half cut off"),
    ("timeline", "marker of another name"),
)


def test_no_row_of_the_page_says_not_noticed() -> None:
    """The page itself is held up to date by the test of generated parts."""
    page = PAGE.read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(("| capture", "| timeline", "| trial", "| ping"))]
    assert len(rows) > 60
    assert not [row for row in rows if NOT_NOTICED in row]


def test_each_mutation_is_named_once() -> None:
    assert len({(mutation.part, mutation.name) for mutation in MUTATIONS}) == len(MUTATIONS) >= 60


@pytest.mark.parametrize(
    ("make", "family"),
    [(daemon_dies, s.FAMILIES[0]), (interface_fails, s.FAMILIES[1]), (host_dies, s.FAMILIES[1])],
    ids=["kill", "link_down", "power_cut"],
)
def test_what_an_instrument_does_wrong_makes_a_trial_undecided(tmp_path: Path, make: object, family: str) -> None:
    assert callable(make)
    good = whole(TrialFolder(make(family).write(tmp_path, 1)))
    by_name = {(mutation.part, mutation.name): mutation for mutation in MUTATIONS}
    said = {name: who_notices(by_name[name], good) for name in ALWAYS}
    if make is host_dies:
        said.pop(("timeline", "marker of another name"))  # the host does it, and no guest could send a marker
    assert not {NOT_NOTICED, NOTHING, NO_SUCH} & {*said.values()}, said
