from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from viplab.errors import InputError, LabError
from viplab.experiment import session
from viplab.experiment.plan import Plan
from viplab.experiment.recipe import read_recipe, write_recipe
from viplab.lab.lab import Lab, Origins
from viplab.lab.libvirt.kind import LIBVIRT
from viplab.lab.netns.kind import NETNS
from viplab.lab.registry import with_image
from viplab.lab.waiting import limit_s, timeout_factor, until
from viplab.run_folder import LONGEST_SCENARIO
from viplab.scenario.load import parse_scenario, resolve
from viplab.scenario.written import yaml_text
from viplab.subjects.registry import assignment


def test_a_plan_comes_back_from_its_recipe_to_the_letter(tmp_path: Path) -> None:
    subjects = [assignment("vipd", "keepalived-2"), assignment("keepalived"), assignment("A=vipd,B=keepalived")]
    plan = Plan(resolve(["cases"]), subjects, NETNS, trials=7, seed=None, workers=2)
    path = tmp_path / "recipe.yaml"
    write_recipe(plan, 4711, "abc", None, path)
    recipe, again = read_recipe(path)
    assert again.scenarios == plan.scenarios
    assert [(s.name, s.profile) for s in again.subjects] == [(s.name, s.profile) for s in subjects]
    assert (again.trials, again.seed, again.lab, again.workers) == (7, 4711, NETNS, 2)
    assert recipe.git == "abc"


@pytest.mark.parametrize("image", ["debian-12", "debian-13"])
def test_a_rerun_has_guests_of_the_same_release(image: str, tmp_path: Path) -> None:
    plan = Plan(resolve(["failover"]), [assignment("vipd")], with_image(LIBVIRT, image))
    write_recipe(plan, 1, None, f"{image}-0123456789ab", tmp_path / "recipe.yaml")
    assert read_recipe(tmp_path / "recipe.yaml")[1].lab == plan.lab


def test_a_rerun_on_guests_of_an_unknown_release_is_refused(tmp_path: Path) -> None:
    plan = Plan(resolve(["failover"]), [assignment("vipd")], LIBVIRT)
    write_recipe(plan, 1, None, "el0-0123456789ab", tmp_path / "recipe.yaml")
    with pytest.raises(InputError, match="no image recipe 'el0-0123456789ab', and no such image"):
        read_recipe(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    ("asked", "boot_s", "factor"),
    [(None, None, 1), (None, 20.0, 1), (None, 150.0, 2.5), (4.0, 150.0, 4), (None, 1e9, 100)],
)
def test_limits_are_multiplied_by_what_was_asked_for_or_what_a_boot_took_and_a_rerun_has_it(
    tmp_path: Path, asked: float | None, boot_s: float | None, factor: float
) -> None:
    class Booted:
        origins = Origins(qemu=None, libvirt=None, image=None, packages={}, boot_s=boot_s)

    plan = Plan(resolve(["failover"]), [assignment("vipd")], NETNS, timeout_factor=asked)
    found = session._timeout_factor(plan, cast("Lab", Booted()))
    assert found == factor
    write_recipe(plan, 1, None, None, tmp_path / "recipe.yaml", found)
    assert read_recipe(tmp_path / "recipe.yaml")[1].timeout_factor == factor


def test_every_limit_is_multiplied_and_only_while_it_lasts() -> None:
    with timeout_factor(3), pytest.raises(LabError, match=r"waited 0.03 s for nothing"):
        until("nothing", lambda: False, within_s=0.01, every_s=0.005)
    assert limit_s(5) == 5


OWN = """\
scenario: own
title: Own
story: Of two hosts with a configuration of their own.
hosts:
  A: {state: MASTER, priority: 101, keepalived_conf: "! A"}
  B: {state: BACKUP, priority: 100, keepalived_conf: "! B"}
steps: [{kill: {host: A}}]
expect: {owner: B}
"""


def own(text: str = OWN) -> Plan:
    """A plan of a scenario whose hosts have configurations of their own."""
    return Plan([(text, parse_scenario(text, "own.yaml"))], [assignment("keepalived")], NETNS)


@given(st.text(max_size=60), st.booleans())
def test_a_configuration_comes_back_from_a_recipe_to_the_letter_whoever_wrote_the_scenario(
    tmp_path_factory: pytest.TempPathFactory, configuration: str, by_hand: bool
) -> None:
    data = yaml.safe_load(OWN)
    data["hosts"]["A"]["keepalived_conf"] = configuration
    plan = own("# Mine.\n" + yaml.safe_dump(data) if by_hand else yaml_text(data))
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    write_recipe(plan, 1, None, None, path)
    recipe, again = read_recipe(path)
    assert again.scenarios == plan.scenarios
    assert bool(recipe.keepalived_conf) is not by_hand


def test_a_recipe_that_has_configurations_in_its_scenarios_is_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    write_recipe(own(), 1, None, None, path)
    data = yaml.safe_load(path.read_text())
    del data["keepalived_conf"]
    data["scenarios"] = [OWN]
    path.write_text(yaml_text(data))
    assert read_recipe(path)[1].scenarios == own().scenarios


def test_a_recipe_does_not_grow_beyond_all_bounds_by_what_its_scenarios_name(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    write_recipe(own(), 1, None, None, path)
    data = yaml.safe_load(path.read_text())
    data["keepalived_conf"] = {"x": "#" * LONGEST_SCENARIO}
    data["scenarios"] = [OWN.replace("! A", "x").replace("! B", "x")]
    path.write_text(yaml_text(data))
    with pytest.raises(InputError, match="the configurations of own are longer than a scenario may be"):
        read_recipe(path)


@pytest.mark.parametrize(("times", "longer", "why"), [(1001, 0, "1,001 scenarios"), (10, 500_000, "longer than a run")])
def test_what_no_recipe_can_keep_is_refused_before_anything_is_run(times: int, longer: int, why: str) -> None:
    text = OWN + "#" * longer
    plan = Plan([(text, parse_scenario(text, "own.yaml"))] * times, [assignment("keepalived")], NETNS)
    with pytest.raises(InputError, match=why):
        session.check(plan)


def test_a_scenario_that_a_run_cannot_keep_is_refused() -> None:
    with pytest.raises(InputError, match=r"own\.yaml: has more than 1,048,576 characters, and no run can keep it"):
        parse_scenario(OWN + "#" * LONGEST_SCENARIO, "own.yaml")


@pytest.mark.parametrize("text", ["", "schema: 2", "a: [", "\0"])
def test_what_is_no_recipe_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=str(path)):
        read_recipe(path)
