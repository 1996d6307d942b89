"""What a run was asked to do, to the letter, so that it can be done again: `recipe.yaml` of the run folder.

The scenarios are in it as they were read, but that a configuration which many of them share is written once. The seed
puts the faults where they were. What cannot be in it, the image and the checkout, is named, and a difference is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from viplab import store
from viplab.errors import InputError
from viplab.experiment.plan import MOST_TIMEOUT_FACTOR, MOST_TRIALS, Plan
from viplab.lab.image import image_name
from viplab.lab.image_recipe import recipe_names
from viplab.lab.lab import LabKind
from viplab.lab.registry import lab_kind, with_image
from viplab.progress import note
from viplab.regular_files import read_regular
from viplab.run_folder import LONGEST_SCENARIO
from viplab.scenario.load import explain, parse_scenario
from viplab.scenario.model import Scenario
from viplab.scenario.written import yaml_text
from viplab.subjects.registry import assignment
from viplab.untrusted_data import yaml_value

_LARGEST = 4 << 20
_MOST_SCENARIOS = 1000
_ROOM = 1024
"""Octets for what a plan does not know yet: seed, commit, image."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Chosen(_Strict):
    """What `--subject` and `--profile` say."""

    name: str
    profile: str | None = None
    builds: list[str] | None = None
    """The builds that `name` stood for; recipes written before November 2026 do not say."""


class Recipe(_Strict):
    """`recipe.yaml`."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    git: str | None
    image: str | None
    lab: str
    # Recipes written before November 2026 say `lanes`.
    workers: int = Field(ge=1, validation_alias=AliasChoices("workers", "lanes"))
    trials: int = Field(ge=1, le=MOST_TRIALS)
    seed: int
    # Recipes written before November 2026 say neither; there was no other start than a cold one.
    cold_start: bool = True
    timeout_factor: float | None = Field(default=None, ge=1, le=MOST_TIMEOUT_FACTOR)
    subjects: list[Chosen] = Field(min_length=1)
    keepalived_conf: dict[str, str] = {}
    """Configurations of hosts by their SHA-256, which scenarios name; older recipes have them in each scenario."""
    scenarios: list[str] = Field(min_length=1, max_length=_MOST_SCENARIOS)
    """Each a whole scenario file, but for such configurations."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def write_recipe(
    plan: Plan, seed: int, git: str | None, image: str | None, path: Path, timeout_factor: float = 1
) -> None:
    """Keep what this plan asks for, with the seed that was drawn and the factor that was found."""
    path.write_text(_text(plan, seed, git, image, timeout_factor), encoding="utf-8")


def check_recipe(plan: Plan) -> None:
    """See to it that the recipe of a plan can be read again.

    Raises:
        InputError: it would be too large.
    """
    if len(plan.scenarios) > _MOST_SCENARIOS:
        raise InputError(f"{len(plan.scenarios):,} scenarios are more than a run can keep ({_MOST_SCENARIOS:,})")
    if len(_text(plan, 0, None, None, 1).encode()) > _LARGEST - _ROOM:
        raise InputError(f"these scenarios are longer than a run can keep ({_LARGEST >> 20} MiB): do some at a time")


def _text(plan: Plan, seed: int, git: str | None, image: str | None, timeout_factor: float) -> str:
    configurations: dict[str, str] = {}
    scenarios = [_shortened(text, scenario, configurations) for text, scenario in plan.scenarios]
    recipe = Recipe(
        git=git,
        image=image,
        lab=plan.lab.name,
        workers=plan.workers,
        trials=plan.trials,
        seed=seed,
        cold_start=plan.cold_start,
        timeout_factor=timeout_factor,
        subjects=[Chosen(name=one.asked, profile=one.profile, builds=one.builds) for one in plan.subjects],
        keepalived_conf=configurations,
        scenarios=scenarios,
    )
    return yaml_text(recipe.model_dump(by_alias=True))


def _shortened(text: str, scenario: Scenario, configurations: dict[str, str]) -> str:
    """A scenario's file with its hosts' configurations named, and put where the names say; as it is without any.

    One that a person wrote is left as it is: put together again it would not be the same to the letter.
    """
    own = {host: node.keepalived_conf for host, node in scenario.hosts.items() if node.keepalived_conf is not None}
    try:
        if not own or yaml_text(data := yaml_value(text)) != text:
            return text
    except ValueError:
        return text
    for host, configuration in own.items():
        name = hashlib.sha256(configuration.encode()).hexdigest()
        configurations[name] = configuration
        data["hosts"][host]["keepalived_conf"] = name
    return yaml_text(data)


def _whole(text: str, configurations: Mapping[str, str], where: str) -> tuple[str, Scenario]:
    """A scenario's file with the configurations that it names, and what that says."""
    scenario = parse_scenario(text, where)
    own = {
        host: configurations[name]
        for host, node in scenario.hosts.items()
        if (name := node.keepalived_conf) is not None and name in configurations
    }
    if not own:
        return text, scenario
    # Before they are put together: a thousand scenarios may name a long one, each for twenty-six hosts.
    if sum(map(len, own.values())) > LONGEST_SCENARIO:
        raise InputError(f"{where}: the configurations of {scenario.scenario} are longer than a scenario may be")
    data = yaml_value(text)
    for host, configuration in own.items():
        data["hosts"][host]["keepalived_conf"] = configuration
    whole = yaml_text(data)
    return whole, parse_scenario(whole, where)


def read_recipe(path: Path) -> tuple[Recipe, Plan]:
    """A recipe, and the plan that it stands for.

    Raises:
        InputError: it cannot be read, or is not valid; the message lists every error, one a line.
    """
    try:
        content = read_regular(path.parent, path, _LARGEST)
        if content is None:
            raise InputError(f"{path}: cannot be read (No such file or directory)")
        recipe = Recipe.model_validate(yaml_value(content.decode("utf-8")))
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {line}" for line in explain(error))) from None
    except ValueError as error:
        raise InputError(f"{path}: not valid YAML ({error}); a run keeps its recipe as recipe.yaml") from None
    plan = Plan(
        scenarios=[_whole(text, recipe.keepalived_conf, str(path)) for text in recipe.scenarios],
        subjects=[assignment(chosen.name, chosen.profile) for chosen in recipe.subjects],
        trials=recipe.trials,
        seed=recipe.seed,
        lab=_lab(recipe),
        workers=recipe.workers,
        cold_start=recipe.cold_start,
        timeout_factor=recipe.timeout_factor,
    )
    return recipe, plan


def _lab(recipe: Recipe) -> LabKind:
    """The kind of lab, with guests of the recipe that the image's name begins with, or of that very image."""
    kind = lab_kind(recipe.lab)
    if not recipe.image or not kind.image:
        return kind
    made_by = recipe.image.rpartition("-")[0]
    return with_image(kind, made_by if made_by in recipe_names() else recipe.image)


def plan_of(path: Path, *, resumes: bool = False) -> Plan:
    """The plan of a recipe; tells the user where this checkout, its image or a build is another one.

    Raises:
        InputError: as with `read_recipe`; or a run that it `resumes` would have trials of two builds.
    """
    recipe, plan = read_recipe(path)
    for chosen, subject in zip(recipe.subjects, plan.subjects, strict=True):
        if chosen.builds is None or chosen.builds == subject.builds:
            continue
        told = f"{subject.asked} was {', '.join(chosen.builds) or 'no build'}, here it is {', '.join(subject.builds)}"
        if resumes:
            raise InputError(f"{path}: {told}; the rest of the run would be of another build: begin a new one")
        note(f"not quite the same: {told}")
    here = {"git": store.commit(), "image": plan.lab.image and image_name(plan.lab.image)}
    for what, was in (("git", recipe.git), ("image", recipe.image)):
        if was != here[what]:
            note(f"not quite the same: the recipe's {what} was {was or 'none'}, here it is {here[what] or 'none'}")
    return plan
