"""Every generated part of the documentation is what its source gives today."""

from __future__ import annotations

import pytest
from generated import PARTS, Part, current, filled

from viplab.errors import InputError


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part[0]}:{part[1] or 'whole'}")
def test_every_generated_part_is_up_to_date(part: Part) -> None:
    _, there, wanted = current(part)
    assert there == wanted, f"{part[0]} is not up to date; `nox -s docs` writes it"


def test_a_page_without_a_place_for_a_part_is_an_error_that_names_both() -> None:
    with pytest.raises(InputError, match="no place for 'keywords'"):
        filled("nothing here", "keywords", "a table")
