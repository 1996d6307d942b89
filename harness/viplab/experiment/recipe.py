"""What a run was asked to do, to the letter, so that it can be done again: `recipe.yaml` of the run folder.

The scenarios are in it as they were read. The seed puts the faults where they were. What cannot be in it, the image and
the checkout, is named, and a difference is told.
"""

from __future__ import annotations

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
from viplab.scenario.load import explain, parse_scenario
from viplab.scenario.written import yaml_text
from viplab.subjects.registry import assignment
from viplab.untrusted_data import yaml_value

_LARGEST = 4 << 20


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
    scenarios: list[str] = Field(min_length=1, max_length=1000)
    """Each a whole scenario file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def write_recipe(
    plan: Plan, seed: int, git: str | None, image: str | None, path: Path, timeout_factor: float = 1
) -> None:
    """Keep what this plan asks for, with the seed that was drawn and the factor that was found."""
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
        scenarios=[text for text, _ in plan.scenarios],
    )
    path.write_text(yaml_text(recipe.model_dump(by_alias=True)), encoding="utf-8")


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
        scenarios=[(text, parse_scenario(text, str(path))) for text in recipe.scenarios],
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
