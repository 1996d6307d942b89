from __future__ import annotations

from pathlib import Path

import pytest

from viplab.errors import InputError
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import read_recipe, write_recipe
from viplab.lab.netns.kind import NETNS
from viplab.scenario.load import resolve
from viplab.subjects.registry import subject


def test_a_plan_comes_back_from_its_recipe_to_the_letter(tmp_path: Path) -> None:
    subjects = [subject("vipd", "keepalived-2"), subject("keepalived")]
    plan = Plan(resolve(["cases"]), subjects, NETNS, trials=7, seed=None, workers=2)
    path = tmp_path / "recipe.yaml"
    write_recipe(plan, 4711, "abc", None, path)
    recipe, again = read_recipe(path)
    assert again.scenarios == plan.scenarios
    assert [(s.name, s.profile) for s in again.subjects] == [(s.name, s.profile) for s in subjects]
    assert (again.trials, again.seed, again.lab, again.workers) == (7, 4711, NETNS, 2)
    assert recipe.git == "abc"


@pytest.mark.parametrize("text", ["", "schema: 2", "a: [", "\0"])
def test_what_is_no_recipe_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=str(path)):
        read_recipe(path)
