"""The command line. Everything it does is done elsewhere; here stand the words, and what a failure looks like.

A file here holds one family of commands. Each command imports what it needs when it is called, so that `--help` answers
at once and a report needs no lab.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any, NoReturn

import typer

from viplab.cli import background, beforehand, kept_runs, machine, running
from viplab.cli.printing import LONGEST
from viplab.errors import ExitStatus, Interrupted, ViplabError

app = typer.Typer(
    help="Measures what clients see when a virtual IP moves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
image_app = typer.Typer(help="Guest images in the cache.", no_args_is_help=True)
app.add_typer(image_app, name="image")

# In the order in which the help lists them: each command, and what typer is told of it.
_COMMANDS: tuple[tuple[Callable[..., int | None], dict[str, Any]], ...] = (
    (running.run, {"cls": running.NamesPlugIns, "context_settings": {"auto_envvar_prefix": "VIPLAB"}}),
    (kept_runs.analyze, {}),
    (kept_runs.report, {}),
    (kept_runs.matrix, {}),
    (kept_runs.compare, {}),
    (kept_runs.baseline, {}),
    (kept_runs.watch, {}),
    (kept_runs.serve, {}),
    (kept_runs.runs, {}),
    (beforehand.explain, {}),
    (beforehand.new_scenario, {}),
    (beforehand.lint, {}),
    (machine.doctor, {}),
    (machine.preflight, {}),
    (background.up, {}),
    (background.status, {}),
    (background.ssh, {"context_settings": {"ignore_unknown_options": True}}),
    (background.down, {}),
    (background.clean, {}),
)
for _command, _options in _COMMANDS:
    app.command(**_options)(_command)
image_app.command("build")(machine.image_build)
image_app.command("list")(machine.image_list)
image_app.command("rm")(machine.image_rm)

# Typer brings a click of its own or uses the installed one; this is the class that its usage errors share, either way.
_UsageProblem: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> NoReturn:
    """Entry point; the exit status is one of `ExitStatus`."""
    for stream in (sys.stdout, sys.stderr):
        # The name of a file need not be UTF-8.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(standalone_mode=False) or ExitStatus.OK)
    except _UsageProblem as error:
        said = error.format_message()
        _fail(f"{said.rstrip('.')}{_whence(error)}; `viplab --help` shows what there is", ExitStatus.USAGE)
    except ViplabError as error:
        _fail(str(error), error.exit_status)
    except (KeyboardInterrupt, typer.Abort, Interrupted):
        _fail("interrupted; the lab is gone, what was measured is kept", ExitStatus.INTERRUPTED)
    except ModuleNotFoundError as error:
        _fail_without_module(error)
    except Exception:
        _fail_by_mistake()


def _whence(error: Any) -> str:
    """Where an option came from that cannot be taken, if it was not given on the command line."""
    context: Any = getattr(error, "ctx", None)
    option: Any = getattr(error, "param", None)
    source = context.get_parameter_source(option.name) if context and option else None
    if source is None or source.name != "ENVIRONMENT":
        return ""
    return f" (from {option.envvar or f'{context.auto_envvar_prefix}_{option.name.upper()}'})"


def _fail_without_module(error: ModuleNotFoundError) -> NoReturn:
    from viplab.doctor import GET_LAB_MODULE, LAB_MODULES

    missing = LAB_MODULES.get((error.name or "").partition(".")[0])
    if missing is None:
        _fail_by_mistake()
    _fail(f"{missing}: not installed in this Python; {GET_LAB_MODULE}", ExitStatus.UNAVAILABLE)


def _fail_by_mistake() -> NoReturn:
    import traceback

    traceback.print_exc()
    _fail("this is a mistake in viplab, not yours; please report it with the lines above", ExitStatus.INTERNAL)


def _fail(message: str, status: ExitStatus) -> NoReturn:
    from viplab.report.text import visible

    print(f"viplab: {visible(message, LONGEST)}", file=sys.stderr)  # noqa: T201 - exactly one line, whatever the terminal
    sys.exit(status)
