"""Finds and reads scenarios, by name, by path, or a suite; every error of a file is reported, each by its path."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from viplab.errors import InputError
from viplab.resources import resource
from viplab.run_folder import LONGEST_SCENARIO
from viplab.scenario.model import Scenario
from viplab.untrusted_data import YamlError, yaml_value

_ASKED = 4
_Suites = TypeAdapter(dict[str, Annotated[list[str], Field(min_length=1)]])


def scenario_files() -> dict[str, Path]:
    """Every scenario of the tree, by name."""
    return {path.stem: path for path in sorted(resource("scenarios").glob("*/**/*.yaml"))}


def suites(path: Path | None = None) -> dict[str, list[str]]:
    """What a word on the command line stands for, by `scenarios/suites.yaml`; the first suite is the default.

    Raises:
        InputError: it is not valid, or names a scenario that is not there; one line says which and where.
    """
    path = path or resource("scenarios/suites.yaml")
    try:
        found = _Suites.validate_python(_load_yaml(_text(path), str(path)))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error)[0]}") from None
    known = scenario_files()
    for suite, names in found.items():
        if suite == "all" or suite in known:
            raise InputError(f"{path}: {suite}: is taken; name the suite otherwise")
        for name in names:
            if name not in known:
                raise InputError(f"{path}: {suite}: no scenario {name!r}{_near(name, known)}")
    return found


def read_scenario(path: Path) -> tuple[str, Scenario]:
    """Read one file: its text, and what that says.

    Raises:
        InputError: it cannot be read or is not valid; the message lists every error, one a line.
    """
    text = _text(path)
    scenario = parse_scenario(text, str(path))
    if scenario.scenario != path.stem:
        raise InputError(f"{path}: scenario: is {scenario.scenario!r}, but the file's name says {path.stem!r}")
    return text, scenario


def load_scenario(path: Path) -> Scenario:
    """Read one file; errors as with `read_scenario`."""
    return read_scenario(path)[1]


def parse_scenario(text: str, where: str) -> Scenario:
    """Read a scenario; `where` is what errors say that it came from.

    Raises:
        InputError: it is not valid; the message lists every error, one a line.
    """
    if len(text) > LONGEST_SCENARIO:
        raise InputError(f"{where}: has more than {LONGEST_SCENARIO:,} characters, and no run can keep it")
    data = _load_yaml(text, where)
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise InputError("\n".join(f"{where}: {line}" for line in explain(error))) from None


def _near(word: str, known: Collection[str]) -> str:
    """A question for those that may have been meant; there are too many to list them all."""
    meant = [name for name in known if word in name][:_ASKED] or get_close_matches(word, known, _ASKED)
    return f"; did you mean {' or '.join(meant)}?" if meant else ""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file in UTF-8") from None


def _load_yaml(text: str, where: str) -> Any:
    # As strictly as it is read from the run's folder, or no trial with it could be judged.
    try:
        return yaml_value(text)
    except YamlError as error:
        place = where if error.line is None else f"{where}:{error.line}"
        raise InputError(f"{place}: not valid YAML ({error.why})") from None


def explain(error: ValidationError) -> list[str]:
    """One line for each error: where in the file, what, and what was found there."""
    lines = []
    for one in error.errors():
        where = ".".join(str(part) for part in one["loc"])
        found = one["input"]
        shown = f" (found {found!r})" if isinstance(found, str | int | float) else ""
        lines.append(f"{where or 'the whole file'}: {one['msg']}{shown}")
    return lines


def resolve(words: list[str]) -> list[tuple[str, Scenario]]:
    """The scenarios that a command line names: by name, by path, by suite, or `all`; each once, none for the default.

    Raises:
        InputError: a word names nothing.
    """
    known, grouped = scenario_files(), suites()
    paths: list[Path] = []
    for word in words or list(grouped)[:1]:
        if word == "all":
            paths += known.values()
        elif word in grouped:
            paths += [known[name] for name in grouped[word]]
        elif word in known:
            paths.append(known[word])
        elif Path(word).suffix in (".yaml", ".yml"):
            paths.append(Path(word))
        else:
            otherwise = f"; name one of docs/scenarios.md, a path, or a suite: {', '.join([*grouped, 'all'])}"
            here = [path] if Path(path := f"{word}.yaml").is_file() else []
            raise InputError(f"no scenario {word!r}{_near(word, [*here, *known, *grouped]) or otherwise}")
    return [read_scenario(path) for path in dict.fromkeys(paths)]
